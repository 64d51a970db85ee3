package template

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scope is a place in the template: what a reference may name there, and the subject of errors.
type scope struct {
	r       *resolution
	subject string // for messages: Resource Foo
	// resources allows Ref to name resources; conditions and rules may not.
	resources bool
	// lenient is set for properties without local effect. References are checked; functions that only AWS can evaluate
	// give a placeholder.
	lenient bool
	// from is the resource that depends on the referenced ones; nil if references are not dependencies.
	from *resource
}

// eval resolves the functions of a node. The result is nil for AWS::NoValue. If something is wrong, eval reports it and
// ok is false.
func (s scope) eval(n *yaml.Node) (result *yaml.Node, ok bool) {
	n = follow(n)
	if name, argument, is := intrinsic(n); is {
		return s.call(n, name, argument)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return s.evalMapping(n)
	case yaml.SequenceNode:
		return s.evalSequence(n)
	}
	if isNull(n) {
		return nil, true
	}
	return n, true
}

func (s scope) evalMapping(n *yaml.Node) (*yaml.Node, bool) {
	resolved := *n
	resolved.Content = nil
	allOK := true
	for key, value := range members(n) {
		result, ok := s.eval(value)
		allOK = allOK && ok
		if result != nil {
			resolved.Content = append(resolved.Content, key, result)
		}
	}
	return &resolved, allOK
}

func (s scope) evalSequence(n *yaml.Node) (*yaml.Node, bool) {
	resolved := sequence(n)
	allOK := true
	for _, item := range n.Content {
		result, ok := s.eval(item)
		allOK = allOK && ok
		if result != nil {
			resolved.Content = append(resolved.Content, result)
		}
	}
	return resolved, allOK
}

// call evaluates one function.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html.
func (s scope) call(n *yaml.Node, name string, argument *yaml.Node) (*yaml.Node, bool) {
	switch name {
	case "Ref":
		if argument.Kind != yaml.ScalarNode {
			return s.malformed(n, name, "a name")
		}
		return s.ref(n, argument.Value)
	case "Fn::GetAtt":
		return s.getAtt(n, argument)
	case "Fn::Sub":
		return s.sub(n, argument)
	case "Fn::If":
		return s.ifElse(n, argument)
	case "Fn::Join":
		return s.join(n, argument)
	case "Fn::Split":
		return s.split(n, argument)
	case "Fn::Select":
		return s.selectOne(n, argument)
	case "Fn::FindInMap":
		return s.findInMap(n, argument)
	}
	if s.lenient {
		return text(n, name), true
	}
	s.r.add(n.Line, s.subject, "%s is not supported by the local stack", name)
	return nil, false
}

func (s scope) malformed(n *yaml.Node, name, wants string) (*yaml.Node, bool) {
	s.r.add(n.Line, s.subject, "%s takes %s", name, wants)
	return nil, false
}

// arguments evaluates a list of exactly count arguments. AWS::NoValue is not allowed.
func (s scope) arguments(n *yaml.Node, name string, argument *yaml.Node, count int, wants string) ([]*yaml.Node, bool) {
	if argument.Kind != yaml.SequenceNode || len(argument.Content) != count {
		s.malformed(n, name, wants)
		return nil, false
	}
	resolved, ok := s.evalSequence(argument)
	if ok && len(resolved.Content) != count {
		s.malformed(n, name, wants)
		return nil, false
	}
	return resolved.Content, ok
}

func (s scope) ifElse(n, argument *yaml.Node) (*yaml.Node, bool) {
	const wants = "a list of a condition's name and two values"
	if argument.Kind != yaml.SequenceNode || len(argument.Content) != 3 {
		return s.malformed(n, "Fn::If", wants)
	}
	name := follow(argument.Content[0])
	if name.Kind != yaml.ScalarNode {
		return s.malformed(n, "Fn::If", wants)
	}
	holds, ok := s.r.condition(s, n, name.Value)
	if !ok {
		return nil, false
	}
	if holds {
		return s.eval(argument.Content[1])
	}
	return s.eval(argument.Content[2])
}

func (s scope) join(n, argument *yaml.Node) (*yaml.Node, bool) {
	const wants = "a list of a delimiter and a list of texts"
	args, ok := s.arguments(n, "Fn::Join", argument, 2, wants)
	if !ok {
		return nil, false
	}
	if args[0].Kind != yaml.ScalarNode || args[1].Kind != yaml.SequenceNode {
		return s.malformed(n, "Fn::Join", wants)
	}
	var parts []string
	size := 0
	for _, part := range args[1].Content {
		if part.Kind != yaml.ScalarNode {
			return s.malformed(n, "Fn::Join", wants)
		}
		parts = append(parts, part.Value)
		size += len(part.Value) + len(args[0].Value)
	}
	if !s.make(n, size) {
		return nil, false
	}
	return text(n, strings.Join(parts, args[0].Value)), true
}

func (s scope) split(n, argument *yaml.Node) (*yaml.Node, bool) {
	const wants = "a list of a delimiter and a text"
	args, ok := s.arguments(n, "Fn::Split", argument, 2, wants)
	if !ok {
		return nil, false
	}
	if args[0].Kind != yaml.ScalarNode || args[1].Kind != yaml.ScalarNode || args[0].Value == "" {
		return s.malformed(n, "Fn::Split", wants)
	}
	const nodeSize = 160 // bytes of a yaml.Node
	if !s.make(n, len(args[1].Value)+nodeSize*strings.Count(args[1].Value, args[0].Value)) {
		return nil, false
	}
	result := sequence(n)
	for part := range strings.SplitSeq(args[1].Value, args[0].Value) {
		result.Content = append(result.Content, text(n, part))
	}
	return result, true
}

func (s scope) selectOne(n, argument *yaml.Node) (*yaml.Node, bool) {
	const wants = "a list of an index and a list of values"
	args, ok := s.arguments(n, "Fn::Select", argument, 2, wants)
	if !ok {
		return nil, false
	}
	if s.lenient && args[1].Kind == yaml.ScalarNode { // the placeholder of a function such as Fn::GetAZs
		return args[1], true
	}
	index, err := strconv.Atoi(args[0].Value)
	if err != nil || args[1].Kind != yaml.SequenceNode {
		return s.malformed(n, "Fn::Select", wants)
	}
	if index < 0 || index >= len(args[1].Content) {
		s.r.add(n.Line, s.subject, "Fn::Select takes element %d of a list of %d", index, len(args[1].Content))
		return nil, false
	}
	return args[1].Content[index], true
}

func (s scope) findInMap(n, argument *yaml.Node) (*yaml.Node, bool) {
	args, ok := s.arguments(n, "Fn::FindInMap", argument, 3, "a list of a map's name, a key and a second key")
	if !ok {
		return nil, false
	}
	value := s.r.template.mappings
	for _, key := range args {
		if value = member(value, key.Value); value == nil {
			s.r.add(n.Line, s.subject, "Fn::FindInMap: Mappings has no %s.%s.%s", args[0].Value, args[1].Value, args[2].Value)
			return nil, false
		}
	}
	return value, true
}

// variable is ${Name}, ${Name.Attribute} or ${!literal} in a text of Fn::Sub.
var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

func (s scope) sub(n, argument *yaml.Node) (*yaml.Node, bool) {
	template, values := argument, (*yaml.Node)(nil)
	if argument.Kind == yaml.SequenceNode && len(argument.Content) == 2 {
		template = follow(argument.Content[0])
		var ok bool
		if values, ok = s.eval(argument.Content[1]); !ok {
			return nil, false
		}
	}
	if template.Kind != yaml.ScalarNode || values != nil && values.Kind != yaml.MappingNode {
		return s.malformed(n, "Fn::Sub", "a text, or a list of a text and a mapping of its variables")
	}
	allOK := true
	result := variable.ReplaceAllStringFunc(template.Value, func(match string) string {
		value, ok := s.subVariable(n, match[2:len(match)-1], values)
		if allOK = allOK && ok && s.make(n, len(value)); !allOK {
			return ""
		}
		return value
	})
	return text(n, result), allOK
}

// subVariable returns the value of one ${…} of Fn::Sub.
func (s scope) subVariable(n *yaml.Node, name string, values *yaml.Node) (string, bool) {
	name = strings.TrimSpace(name)
	if literal, is := strings.CutPrefix(name, "!"); is {
		return "${" + literal + "}", true
	}
	value, ok := member(values, name), true
	if value == nil {
		if resource, attribute, dotted := strings.Cut(name, "."); dotted && !s.r.isReference(name) {
			value, ok = s.attribute(n, resource, attribute)
		} else {
			value, ok = s.ref(n, name)
		}
	}
	if !ok {
		return "", false
	}
	if value == nil || value.Kind != yaml.ScalarNode {
		s.r.add(n.Line, s.subject, "Fn::Sub: ${%s} is not a text", name)
		return "", false
	}
	return value.Value, true
}
