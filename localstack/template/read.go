package template

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// read evaluates the members of a mapping by their effects. It reports the refused ones, and notes those without effect
// that a user might miss.
func (r *resolution) read(s scope, from *resource, path string, n *yaml.Node, allowed effects) object {
	o := object{r: r, subject: s.subject, path: path, line: n.Line, members: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		o.failed = true
		r.add(n.Line, s.subject, "%s is not a mapping", cmp.Or(strings.TrimSuffix(path, "."), "Properties"))
		return o
	}
	for key, value := range members(n) {
		e, ok := allowed[key.Value]
		if !ok {
			e, ok = allowed["*"]
		}
		if !ok {
			o.failed = true
			r.add(key.Line, s.subject, "property %s%s is not supported by the local stack; supported are %s",
				path, key.Value, allowed.supported())
			continue
		}
		r.readProperty(s, from, &o, key, value, e)
	}
	return o
}

func (r *resolution) readProperty(s scope, from *resource, o *object, key, value *yaml.Node, e effect) {
	if e.kind == isDeferred {
		o.members[key.Value] = value
		return
	}
	s.lenient = e.kind == hasNoEffect
	if s.from != nil {
		s.from = s.from.owner(e.of)
	}
	resolved, ok := s.eval(value)
	o.failed = o.failed || !ok
	if !ok || resolved == nil {
		return
	}
	if e.kind == hasNoEffect {
		r.note(e.note, from)
		return
	}
	if resolved, ok = s.resolveStored(resolved); !ok {
		o.failed = true
		return
	}
	o.members[key.Value] = resolved
}
