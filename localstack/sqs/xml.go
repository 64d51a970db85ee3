package sqs

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// xmlNamespace is the name space of SQS's answers in the query protocol.
const xmlNamespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// xmlNamed is an element of a list whose name depends on its type.
type xmlNamed interface{ xmlName() string }

// xmlAnswer is an operation's answer in the query protocol, and the id of the request. An operation without an answer has no result element.
// See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#response-serialization.
func xmlAnswer(operation string, answer any) (text []byte, requestID string) {
	requestID = awsid.NewRequestID()
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, `<%sResponse xmlns="%s">`, operation, xmlNamespace)
	if _, empty := answer.(none); !empty {
		writeElement(&b, operation+"Result", reflect.ValueOf(answer), nil)
	}
	writeElement(&b, "ResponseMetadata", reflect.ValueOf(struct{ RequestId string }{requestID}), nil)
	fmt.Fprintf(&b, `</%sResponse>`, operation)
	return b.Bytes(), requestID
}

// writeElement writes a value as an element. Lists and maps are flattened: an element for each entry. names are of a
// map's key and value.
func writeElement(b *bytes.Buffer, name string, v reflect.Value, names []string) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			writeText(b, name, base64.StdEncoding.EncodeToString(v.Bytes()))
			return
		}
		for i := range v.Len() {
			element := v.Index(i)
			own := name
			if named, ok := element.Interface().(xmlNamed); ok {
				own = named.xmlName()
			}
			writeElement(b, own, element, nil)
		}
	case reflect.Map:
		entries := v.Interface()
		switch entries := entries.(type) {
		case map[string]string:
			writeEntries(b, name, names, entries)
		case map[string]Attribute:
			writeEntries(b, name, names, entries)
		}
	case reflect.Struct:
		b.WriteString("<" + name + ">")
		writeFields(b, v)
		b.WriteString("</" + name + ">")
	case reflect.Pointer:
		if !v.IsNil() {
			writeElement(b, name, v.Elem(), nil)
		}
	default:
		writeText(b, name, fmt.Sprint(v.Interface()))
	}
}

func writeEntries[T any](b *bytes.Buffer, name string, names []string, entries map[string]T) {
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		b.WriteString("<" + name + ">")
		writeText(b, names[1], key)
		writeElement(b, names[2], reflect.ValueOf(entries[key]), nil)
		b.WriteString("</" + name + ">")
	}
}

// writeFields writes a struct's fields, and leaves out the same ones as its JSON.
func writeFields(b *bytes.Buffer, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			writeFields(b, v.Field(i))
			continue
		}
		if _, options, _ := strings.Cut(field.Tag.Get("json"), ","); options == "omitempty" && v.Field(i).IsZero() {
			continue
		}
		names := queryNames(field)
		writeElement(b, names[0], v.Field(i), names)
	}
}

func writeText(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a buffer takes everything
	b.WriteString("</" + name + ">")
}
