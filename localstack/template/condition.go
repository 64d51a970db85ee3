package template

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// conditionState is the state of a condition's evaluation.
type conditionState struct {
	done, holds, ok bool
}

// condition reports whether a named condition holds. ok is false if the condition is missing or wrong.
func (r *resolution) condition(s scope, at *yaml.Node, name string) (holds, ok bool) {
	if state := r.conditions[name]; state != nil {
		if !state.done {
			r.add(at.Line, s.subject, "condition %s depends on itself", name)
			return false, false
		}
		return state.holds, state.ok
	}
	node := member(r.template.conditions, name)
	if node == nil {
		r.add(at.Line, s.subject, "condition %s does not exist", name)
		return false, false
	}
	state := &conditionState{}
	r.conditions[name] = state
	state.holds, state.ok = scope{r: r, subject: "Condition " + name}.test(node)
	state.done = true
	return state.holds, state.ok
}

// test evaluates a condition function.
func (s scope) test(n *yaml.Node) (holds, ok bool) {
	n = follow(n)
	name, argument, is := intrinsic(n)
	if !is && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, argument, is = "Condition", follow(n.Content[1]), true
	}
	if !is {
		s.r.add(n.Line, s.subject, "a condition is one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition")
		return false, false
	}
	switch name {
	case "Condition":
		return s.r.condition(s, n, argument.Value)
	case "Fn::Equals":
		args, ok := s.arguments(n, name, argument, 2, "a list of two values")
		return ok && same(args[0], args[1]), ok
	case "Fn::Not":
		holds, ok := s.tests(n, name, argument, 1, 1)
		return ok && !holds[0], ok
	case "Fn::And":
		holds, ok := s.tests(n, name, argument, 2, 10)
		return ok && !slices.Contains(holds, false), ok
	case "Fn::Or":
		holds, ok := s.tests(n, name, argument, 2, 10)
		return ok && slices.Contains(holds, true), ok
	case "Fn::Contains":
		return s.contains(n, name, argument)
	case "Fn::EachMemberIn":
		return s.contains(n, name, argument)
	case "Fn::EachMemberEquals":
		return s.contains(n, name, argument)
	}
	s.r.add(n.Line, s.subject, "%s is not supported by the local stack in a condition", name)
	return false, false
}

func (s scope) tests(n *yaml.Node, name string, argument *yaml.Node, least, most int) ([]bool, bool) {
	if argument.Kind != yaml.SequenceNode || len(argument.Content) < least || len(argument.Content) > most {
		s.r.add(n.Line, s.subject, "%s takes a list of %d to %d conditions", name, least, most)
		return nil, false
	}
	var all []bool
	allOK := true
	for _, item := range argument.Content {
		holds, ok := s.test(item)
		allOK = allOK && ok
		all = append(all, holds)
	}
	return all, allOK
}

// contains evaluates the functions of Rules that compare lists.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html.
func (s scope) contains(n *yaml.Node, name string, argument *yaml.Node) (holds, ok bool) {
	args, ok := s.arguments(n, name, argument, 2, "a list of a list and a value or list")
	if !ok {
		return false, false
	}
	if args[0].Kind != yaml.SequenceNode || name == "Fn::EachMemberIn" && args[1].Kind != yaml.SequenceNode {
		s.malformed(n, name, "a list of a list and a value or list")
		return false, false
	}
	is := func(value *yaml.Node) func(*yaml.Node) bool {
		return func(item *yaml.Node) bool { return same(item, value) }
	}
	switch name {
	case "Fn::Contains":
		return slices.ContainsFunc(args[0].Content, is(args[1])), true
	case "Fn::EachMemberEquals":
		return !slices.ContainsFunc(args[0].Content, func(item *yaml.Node) bool { return !same(item, args[1]) }), true
	}
	return !slices.ContainsFunc(args[0].Content, func(item *yaml.Node) bool {
		return !slices.ContainsFunc(args[1].Content, is(item))
	}), true
}

// checkRules evaluates the assertions of Rules, which refuse combinations of parameters.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html.
func (r *resolution) checkRules() {
	for key, rule := range members(r.template.rules) {
		s := scope{r: r, subject: "Rule " + key.Value}
		if when := member(rule, "RuleCondition"); when != nil {
			if holds, ok := s.test(when); !ok || !holds {
				continue
			}
		}
		assertions := member(rule, "Assertions")
		if assertions == nil || assertions.Kind != yaml.SequenceNode {
			r.add(key.Line, s.subject, "has no list of Assertions")
			continue
		}
		for _, item := range assertions.Content {
			s.assert(key, follow(item))
		}
	}
}

func (s scope) assert(key, assertion *yaml.Node) {
	test := member(assertion, "Assert")
	if test == nil {
		s.r.add(key.Line, s.subject, "an assertion without Assert")
		return
	}
	if holds, ok := s.test(test); !ok || holds {
		return
	}
	message := "the parameters' values contradict each other"
	if description := member(assertion, "AssertDescription"); description != nil {
		message = description.Value
	}
	s.r.add(test.Line, s.subject, "%s", message)
}
