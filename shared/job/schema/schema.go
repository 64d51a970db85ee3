// Package schema makes JSON Schemas of Go types and checks JSON values against them.
//
// It checks the keywords that a Go type and its jsonschema tags can say, and refuses a schema with any other. The
// validators at hand compile the meta-schemas of all drafts when a program starts, which costs a function's cold start
// a quarter more time; the tests hold this package to the answers of such a validator.
package schema

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of a Go type. It is safe for concurrent use.
type Schema struct {
	json json.RawMessage
	root *node
}

// Of returns the schema of a type: its json tags name the members, a member without omitempty or omitzero is required,
// unknown members are refused, and jsonschema tags add limits, as github.com/invopop/jsonschema describes them. It
// fails for a type that no JSON value has (a channel, a function), for one that contains itself, and for a tag that
// this package does not check.
func Of(t reflect.Type) (s *Schema, err error) {
	if within := cycle(t, nil); within != nil {
		return nil, fmt.Errorf("%s contains itself", within)
	}
	defer func() {
		if p := recover(); p != nil { // how the reflector refuses a type
			s, err = nil, fmt.Errorf("%s has no JSON Schema: %v", t, p)
		}
	}()
	reflector := jsonschema.Reflector{Anonymous: true, DoNotReference: true, Mapper: text}
	made := reflector.ReflectFromType(t)
	made.Version = "" // the documents that it stands in say which draft it is
	document, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("encode the schema of %s: %w", t, err)
	}
	root := &node{}
	if err := json.Unmarshal(document, root); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	return &Schema{document, root}, nil
}

// JSON is the schema as a document, without $schema.
func (s *Schema) JSON() json.RawMessage { return s.json }

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	timeType      = reflect.TypeFor[time.Time]()
	uuidType      = reflect.TypeFor[uuid.UUID]()
)

// text is the schema of the types that encode themselves as a string, nil for all others and for time.Time, which the
// reflector knows.
func text(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == timeType || !isText(t):
		return nil
	case t == uuidType:
		return &jsonschema.Schema{Type: "string", Format: "uuid"}
	}
	return &jsonschema.Schema{Type: "string"}
}

func isText(t reflect.Type) bool {
	return t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler)
}

// cycle finds the type that a value of type t would contain without end, or nil.
func cycle(t reflect.Type, outer []reflect.Type) reflect.Type {
	for _, o := range outer {
		if o == t {
			return t
		}
	}
	if isText(t) {
		return nil
	}
	outer = append(outer[:len(outer):len(outer)], t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return cycle(t.Elem(), outer)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && f.Tag.Get("json") != "-" {
				if within := cycle(f.Type, outer); within != nil {
					return within
				}
			}
		}
	}
	return nil
}

// node is one schema within a document: the keywords that are checked, and the annotations, which are not.
type node struct {
	never bool // the schema false

	Type  string `json:"type"`
	Enum  []any  `json:"enum"`
	Const any    `json:"const"`

	Properties           map[string]*node `json:"properties"`
	PatternProperties    map[string]*node `json:"patternProperties"`
	AdditionalProperties *node            `json:"additionalProperties"`
	Required             []string         `json:"required"`
	MinProperties        *int             `json:"minProperties"`
	MaxProperties        *int             `json:"maxProperties"`

	Items       *node `json:"items"`
	MinItems    *int  `json:"minItems"`
	MaxItems    *int  `json:"maxItems"`
	UniqueItems bool  `json:"uniqueItems"`

	MinLength *int   `json:"minLength"`
	MaxLength *int   `json:"maxLength"`
	Pattern   string `json:"pattern"`
	Format    string `json:"format"`

	Minimum          json.Number `json:"minimum"`
	Maximum          json.Number `json:"maximum"`
	ExclusiveMinimum json.Number `json:"exclusiveMinimum"`
	ExclusiveMaximum json.Number `json:"exclusiveMaximum"`
	MultipleOf       json.Number `json:"multipleOf"`

	AllOf []*node `json:"allOf"`
	AnyOf []*node `json:"anyOf"`
	OneOf []*node `json:"oneOf"`
	Not   *node   `json:"not"`

	annotations

	pattern  *regexp.Regexp
	patterns map[string]*regexp.Regexp
}

// annotations are the keywords that say something to people. Decoding matches their names without regard to case.
type annotations struct {
	Title, Description, Default, Examples, Deprecated json.RawMessage
	ReadOnly, WriteOnly                               json.RawMessage
	ContentEncoding, ContentMediaType                 json.RawMessage
}

// formats are the formats that are checked.
var formats = []string{"date-time", "email", "uri", "uuid"}

// UnmarshalJSON implements json.Unmarshaler. It refuses keywords that are not checked.
func (n *node) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		return nil
	case "false":
		n.never = true
		return nil
	}
	type plain node // without this method
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode((*plain)(n)); err != nil {
		return err
	}
	if n.Format != "" && !slices.Contains(formats, n.Format) {
		return fmt.Errorf("format %q is not checked; allowed are %s", n.Format, strings.Join(formats, ", "))
	}
	return n.compile()
}

func (n *node) compile() (err error) {
	if n.Pattern != "" {
		if n.pattern, err = regexp.Compile(n.Pattern); err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
	}
	n.patterns = map[string]*regexp.Regexp{}
	for p := range n.PatternProperties {
		if n.patterns[p], err = regexp.Compile(p); err != nil {
			return fmt.Errorf("patternProperties: %w", err)
		}
	}
	return nil
}
