package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// MaxProblems is the most problems that Check reports of one value.
const MaxProblems = 20

// Problem is one thing that is wrong with a value.
type Problem struct {
	// Pointer says where, as a JSON Pointer (RFC 6901); "" is the whole value.
	Pointer string
	// Detail says what is wrong and what is allowed. It does not quote the value, which may be a secret.
	Detail string
}

// Check returns what is wrong with a JSON text, in the order of the schema's members, at most MaxProblems; nil is a
// valid value.
func (s *Schema) Check(text []byte) []Problem {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text follows the value")
		}
	}
	if err != nil {
		return []Problem{{"", "is not JSON: " + err.Error()}}
	}
	var c checker
	c.check(s.root, "", value)
	return c.problems
}

type checker struct{ problems []Problem }

func (c *checker) say(pointer, format string, args ...any) {
	if len(c.problems) < MaxProblems {
		c.problems = append(c.problems, Problem{pointer, fmt.Sprintf(format, args...)})
	}
}

// valid says whether a value fits a schema, without reports.
func valid(n *node, value any) bool {
	var c checker
	c.check(n, "", value)
	return len(c.problems) == 0
}

func (c *checker) check(n *node, pointer string, value any) {
	if n.never {
		c.say(pointer, "is not allowed")
		return
	}
	if n.Type != "" && !is(n.Type, value) {
		c.say(pointer, "is %s; allowed is %s", kind(value), article(n.Type))
		return
	}
	if n.Enum != nil && !slices.ContainsFunc(n.Enum, func(allowed any) bool { return equal(allowed, value) }) {
		c.say(pointer, "is another value; allowed are %s", list(n.Enum))
	}
	if n.Const != nil && !equal(n.Const, value) {
		c.say(pointer, "is another value; allowed is %s", list([]any{n.Const}))
	}
	switch v := value.(type) {
	case map[string]any:
		c.object(n, pointer, v)
	case []any:
		c.array(n, pointer, v)
	case string:
		c.text(n, pointer, v)
	case json.Number:
		c.number(n, pointer, v)
	}
	c.combined(n, pointer, value)
}

func (c *checker) object(n *node, pointer string, members map[string]any) {
	for _, name := range n.Required {
		if _, there := members[name]; !there {
			c.say(pointer+"/"+escape(name), "is missing")
		}
	}
	c.count("members", pointer, len(members), n.MinProperties, n.MaxProperties)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at, known := pointer+"/"+escape(name), false
		if property, ok := n.Properties[name]; ok {
			known = true
			c.check(property, at, members[name])
		}
		for pattern, property := range n.PatternProperties {
			if n.patterns[pattern].MatchString(name) {
				known = true
				c.check(property, at, members[name])
			}
		}
		switch {
		case known || n.AdditionalProperties == nil:
		case n.AdditionalProperties.never:
			c.say(at, "is unknown; allowed are %s", names(n))
		default:
			c.check(n.AdditionalProperties, at, members[name])
		}
	}
}

// names lists the members that a schema knows.
func names(n *node) string {
	known := slices.Sorted(maps.Keys(n.Properties))
	for _, pattern := range slices.Sorted(maps.Keys(n.PatternProperties)) {
		known = append(known, "names like "+pattern)
	}
	if len(known) == 0 {
		return "no members"
	}
	return strings.Join(known, ", ")
}

func (c *checker) array(n *node, pointer string, items []any) {
	c.count("items", pointer, len(items), n.MinItems, n.MaxItems)
	seen := map[string]int{}
	for i, item := range items {
		at := pointer + "/" + strconv.Itoa(i)
		if n.Items != nil {
			c.check(n.Items, at, item)
		}
		if !n.UniqueItems {
			continue
		}
		form := canonical(item)
		if first, twice := seen[form]; twice {
			c.say(at, "stands twice, first as item %d", first)
			continue
		}
		seen[form] = i
	}
}

func (c *checker) text(n *node, pointer, s string) {
	c.count("characters", pointer, utf8.RuneCountInString(s), n.MinLength, n.MaxLength)
	if n.pattern != nil && !n.pattern.MatchString(s) {
		c.say(pointer, "has another form; allowed is %s", n.Pattern)
	}
	if hint := formatted(n.Format, s); hint != "" {
		c.say(pointer, "is no %s; allowed are values such as %s", n.Format, hint)
	}
}

// formatted is an example of a format that the text has not, or "".
func formatted(format, s string) string {
	switch format {
	case "date-time":
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return "2026-01-02T03:04:05Z"
		}
	case "uuid":
		if _, err := uuid.Parse(s); err != nil || len(s) != 36 {
			return "01890a5d-ac96-774b-bcce-b302099a8057"
		}
	case "uri":
		if u, err := url.Parse(s); err != nil || u.Scheme == "" {
			return "https://example.com/path"
		}
	case "email":
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return "someone@example.com"
		}
	}
	return ""
}

// count holds a number of things to its bounds.
func (c *checker) count(things, pointer string, n int, least, most *int) {
	if least != nil && n < *least {
		c.say(pointer, "has %d %s; allowed are %d or more", n, things, *least)
	}
	if most != nil && n > *most {
		c.say(pointer, "has %d %s; allowed are %d or fewer", n, things, *most)
	}
}

func (c *checker) number(n *node, pointer string, text json.Number) {
	value, ok := exact(text)
	if !ok {
		c.say(pointer, "is a number out of range")
		return
	}
	bound := func(limit json.Number, allowed string, wrong func(order int) bool) {
		if r, ok := exact(limit); ok && wrong(value.Cmp(r)) {
			c.say(pointer, "is out of range; allowed are numbers %s %s", allowed, limit)
		}
	}
	bound(n.Minimum, "from", func(order int) bool { return order < 0 })
	bound(n.Maximum, "up to", func(order int) bool { return order > 0 })
	bound(n.ExclusiveMinimum, "above", func(order int) bool { return order <= 0 })
	bound(n.ExclusiveMaximum, "below", func(order int) bool { return order >= 0 })
	if step, ok := exact(n.MultipleOf); ok && step.Sign() != 0 && !new(big.Rat).Quo(value, step).IsInt() {
		c.say(pointer, "is no multiple of %s", n.MultipleOf)
	}
}

func (c *checker) combined(n *node, pointer string, value any) {
	for _, all := range n.AllOf {
		c.check(all, pointer, value)
	}
	fits := func(of []*node) (count int) {
		for _, one := range of {
			if valid(one, value) {
				count++
			}
		}
		return count
	}
	if n.AnyOf != nil && fits(n.AnyOf) == 0 {
		c.say(pointer, "fits none of the %d forms that are allowed", len(n.AnyOf))
	}
	if n.OneOf != nil && fits(n.OneOf) != 1 {
		c.say(pointer, "fits %d of the %d forms that are allowed, of which it must fit one", fits(n.OneOf), len(n.OneOf))
	}
	if n.Not != nil && valid(n.Not, value) {
		c.say(pointer, "has a form that is not allowed")
	}
}

// is says whether a value is of a JSON Schema type. 1.0 is an integer, as draft 2020-12 has it.
func is(kind string, value any) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	case json.Number:
		r, ok := exact(v)
		return kind == "number" || kind == "integer" && ok && r.IsInt()
	}
	return false
}

func kind(value any) string {
	for _, k := range []string{"null", "boolean", "string", "array", "object", "integer", "number"} {
		if is(k, value) {
			return article(k)
		}
	}
	return reflect.TypeOf(value).String()
}

func article(kind string) string {
	switch kind {
	case "null":
		return "null"
	case "integer":
		return "a whole number"
	case "array", "object":
		return "an " + kind
	}
	return "a " + kind
}

// exact is a number without rounding. A number whose exponent would take much memory has none.
func exact(n json.Number) (*big.Rat, bool) {
	if n == "" {
		return nil, false
	}
	if i := strings.IndexAny(string(n), "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(string(n[i+1:])); err != nil || exponent < -400 || exponent > 400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(string(n))
}

func equal(a, b any) bool { return canonical(a) == canonical(b) }

// canonical is a text that two equal JSON values share: members are sorted, 1.0 and 1 are the same.
func canonical(value any) string {
	switch v := value.(type) {
	case json.Number:
		if r, ok := exact(v); ok {
			return r.RatString()
		}
		return string(v)
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, canonical(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, strconv.Quote(name)+":"+canonical(v[name]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(value)
}

func list(values []any) string {
	var parts []string
	for _, v := range values {
		text, _ := json.Marshal(v) // which came from JSON
		parts = append(parts, string(text))
	}
	return strings.Join(parts, ", ")
}

// escape is a member's name within a JSON Pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
