package sqs

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// form is a request of the query protocol as a tree: the parameter Tag.1.Key is the member Key of the member 1 of the
// member Tag. See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#query-key-resolution.
//
// A field's tag query has the name of the parameter and, for a map, the names of its key and value. A field without the
// tag has its own name.
type form struct {
	value   string
	members map[string]*form
}

// maxDepth is the most parts of a parameter's name. SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType
// has 6.
const maxDepth = 8

// commonParameters belong to the protocol, not to an operation.
var commonParameters = []string{"Action", "Version", "Timestamp", "Expires", "AWSAccessKeyId", "SecurityToken", "Signature", "SignatureMethod", "SignatureVersion"}

func newForm(values url.Values) (*form, error) {
	root := &form{}
	for name, all := range values {
		if slices.Contains(commonParameters, name) || strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		parts := strings.Split(name, ".")
		if len(parts) > maxDepth {
			return nil, malformed("the parameter %q has more than %d parts", name, maxDepth)
		}
		node := root
		for _, part := range parts {
			node = node.member(part)
		}
		node.value = all[0]
	}
	return root, nil
}

func (f *form) member(name string) *form {
	if f.members[name] == nil {
		if f.members == nil {
			f.members = map[string]*form{}
		}
		f.members[name] = &form{}
	}
	return f.members[name]
}

func malformed(format string, args ...any) error {
	return &Error{Code: codeMalformed, Message: fmt.Sprintf(format, args...)}
}

// read fills in a request; path is the name of the form in its request. A parameter that the request lacks is refused by
// name.
func (f *form) read(to reflect.Value, path string) error {
	switch to.Kind() {
	case reflect.Struct:
		read := map[string]bool{}
		if err := f.readStruct(to, path, read); err != nil {
			return err
		}
		for name := range f.members {
			if !read[name] {
				return unsupported("the parameter " + strconv.Quote(join(path, name)))
			}
		}
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return f.read(to.Elem(), path)
	case reflect.String:
		to.SetString(f.value)
	case reflect.Int:
		number, err := strconv.Atoi(f.value)
		if err != nil {
			return invalidParameter(path, f.value, "Must be a whole number.")
		}
		to.SetInt(int64(number))
	case reflect.Slice:
		return f.readSlice(to, path)
	default:
		return fmt.Errorf("the query protocol has no %s", to.Type())
	}
	return nil
}

// readStruct fills in fields, those of embedded structs included, and notes which members it read.
func (f *form) readStruct(to reflect.Value, path string, read map[string]bool) error {
	for i := range to.NumField() {
		field := to.Type().Field(i)
		if field.Anonymous {
			if err := f.readStruct(to.Field(i), path, read); err != nil {
				return err
			}
			continue
		}
		names := queryNames(field)
		for _, name := range []string{names[0], field.Name} { // older SDKs name an empty list by its field
			member, given := f.members[name]
			if !given || read[name] {
				continue
			}
			read[name] = true
			if field.Type.Kind() == reflect.Map {
				if err := member.readMap(to.Field(i), join(path, name), names); err != nil {
					return err
				}
				continue
			}
			if err := member.read(to.Field(i), join(path, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *form) readSlice(to reflect.Value, path string) error {
	if to.Type().Elem().Kind() == reflect.Uint8 {
		raw, err := base64.StdEncoding.DecodeString(f.value)
		if err != nil {
			return invalidParameter(path, strconv.Quote(f.value), "Must be base64.")
		}
		to.SetBytes(raw)
		return nil
	}
	elements, err := f.elements(path)
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(to.Type(), len(elements), len(elements))
	for i, element := range elements {
		if err := element.read(list.Index(i), join(path, strconv.Itoa(i+1))); err != nil {
			return err
		}
	}
	to.Set(list)
	return nil
}

func (f *form) readMap(to reflect.Value, path string, names []string) error {
	elements, err := f.elements(path)
	if err != nil {
		return err
	}
	entries := reflect.MakeMapWithSize(to.Type(), len(elements))
	for i, element := range elements {
		at := join(path, strconv.Itoa(i+1))
		key, ok := element.members[names[1]]
		if !ok {
			return missing(join(at, names[1]))
		}
		value := reflect.New(to.Type().Elem()).Elem()
		if given, ok := element.members[names[2]]; ok {
			if err := given.read(value, join(at, names[2])); err != nil {
				return err
			}
		}
		entries.SetMapIndex(reflect.ValueOf(key.value), value)
	}
	to.Set(entries)
	return nil
}

// elements are the form's members 1, 2, … in order. A form without numbers is one element; an empty one is an empty list.
func (f *form) elements(path string) ([]*form, error) {
	if len(f.members) == 0 {
		if f.value == "" {
			return nil, nil
		}
		return []*form{f}, nil
	}
	var numbers []int
	for name := range f.members {
		if number, err := strconv.Atoi(name); err == nil && strconv.Itoa(number) == name {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) == 0 {
		return []*form{f}, nil
	}
	if len(numbers) < len(f.members) {
		return nil, malformed("the parameter %q has members with and without numbers", path)
	}
	slices.Sort(numbers)
	elements := make([]*form, len(numbers))
	for i, number := range numbers {
		elements[i] = f.members[strconv.Itoa(number)]
	}
	return elements, nil
}

// queryNames are the parameter's name and, for a map, the names of its key and value.
func queryNames(field reflect.StructField) []string {
	tag := field.Tag.Get("query")
	if tag == "" {
		return []string{field.Name}
	}
	return strings.Split(tag, ",")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
