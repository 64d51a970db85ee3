package template

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// object is an evaluated mapping, read member by member. It reports a wrong member with its line, and treats it as
// omitted.
type object struct {
	r       *resolution
	subject string
	path    string // of the mapping inside its resource, with a dot at the end; "" for the properties themselves
	line    int
	members map[string]*yaml.Node
	// failed is set if a member could not be evaluated, so that its absence is not reported too.
	failed bool
}

func (o object) add(line int, format string, args ...any) { o.r.add(line, o.subject, format, args...) }

// lineOf returns a member's line, the mapping's if the member is omitted.
func (o object) lineOf(name string) int {
	if n := o.members[name]; n != nil {
		return n.Line
	}
	return o.line
}

// require reports an omitted member.
func (o object) require(name string) {
	if o.members[name] == nil && !o.failed {
		o.add(o.line, "property %s%s is missing", o.path, name)
	}
}

// text returns a scalar, "" if it is omitted.
func (o object) text(name string) string {
	n := o.members[name]
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		o.add(n.Line, "property %s%s is not a text", o.path, name)
		return ""
	}
	return n.Value
}

// oneOf returns one of the allowed texts; the first is the default.
func (o object) oneOf(name string, allowed ...string) string {
	value := o.text(name)
	for _, a := range allowed {
		if value == a {
			return value
		}
	}
	if value != "" {
		o.add(o.lineOf(name), "property %s%s is %q; supported by the local stack: %s", o.path, name, value, list(allowed))
	}
	return allowed[0]
}

func (o object) integer(name string, byDefault, least, most int) int {
	n := o.members[name]
	if n == nil {
		return byDefault
	}
	value, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || value < least || value > most {
		o.add(n.Line, "property %s%s is %q; allowed are %d to %d", o.path, name, n.Value, least, most)
		return byDefault
	}
	return value
}

func (o object) seconds(name string, byDefault, least, most int) time.Duration {
	return time.Duration(o.integer(name, byDefault, least, most)) * time.Second
}

func (o object) boolean(name string, byDefault bool) bool {
	n := o.members[name]
	if n == nil {
		return byDefault
	}
	switch strings.ToLower(n.Value) {
	case "true":
		return true
	case "false":
		return false
	}
	o.add(n.Line, "property %s%s is %q; allowed are true, false", o.path, name, n.Value)
	return byDefault
}

// texts returns a list of scalars.
func (o object) texts(name string) []string {
	n := o.members[name]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.add(n.Line, "property %s%s is not a list", o.path, name)
		return nil
	}
	var items []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			o.add(item.Line, "property %s%s has an element that is not a text", o.path, name)
			continue
		}
		items = append(items, item.Value)
	}
	return items
}

// textMap returns a mapping to scalars.
func (o object) textMap(name string) map[string]string {
	n := o.members[name]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		o.add(n.Line, "property %s%s is not a mapping", o.path, name)
		return nil
	}
	items := map[string]string{}
	for key, value := range members(n) {
		if value.Kind != yaml.ScalarNode {
			o.add(value.Line, "property %s%s.%s is not a text", o.path, name, key.Value)
			continue
		}
		items[key.Value] = value.Value
	}
	return items
}

// object returns a member that is a mapping; ok is false if it is omitted.
func (o object) object(name string, allowed effects) (inner object, ok bool) {
	n := o.members[name]
	if n == nil {
		return object{}, false
	}
	// The node is evaluated already; this only checks the names.
	inner = o.r.read(scope{r: o.r, subject: o.subject}, nil, o.path+name+".", n, allowed)
	return inner, true
}
