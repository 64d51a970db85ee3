package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// The local stack has no parameter store and no Secrets Manager. The user gives the stored values as parameters. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html.

// storedType begins the types of parameters whose value is in the parameter store.
const storedType = "AWS::SSM::Parameter::Value<"

// resolvePrefix begins a dynamic reference, and the name of the parameter that gives its value.
const resolvePrefix = "resolve:"

var dynamicReference = regexp.MustCompile(`\{\{(resolve:[^{}]*)\}\}`)

// isResolve reports whether a parameter is the value of a dynamic reference.
func isResolve(name string) bool { return strings.HasPrefix(name, resolvePrefix) }

// warnStored warns of parameters that take their default, which is a name in the parameter store, as the value.
func (r *resolution) warnStored() {
	for _, d := range r.template.declarations {
		if _, given := r.options.Parameters[d.Name]; !given && strings.HasPrefix(d.Type, storedType) {
			r.stack.Warnings = append(r.stack.Warnings, "parameter "+d.Name+" is in the parameter store, which the local stack does not have; "+
				"its value is its default "+d.Default+" here. Give another with --parameter-overrides "+d.Name+"=value")
		}
	}
}

// resolveStored puts values in the place of dynamic references. Without a value, a reference to the parameter store becomes
// the name of the stored parameter, with a warning. It reports secrets without a value.
func (s scope) resolveStored(n *yaml.Node) (*yaml.Node, bool) {
	if n.Kind == yaml.ScalarNode && !strings.Contains(n.Value, "{{resolve:") {
		return n, true
	}
	resolved := *n
	resolved.Content = nil
	allOK := true
	for _, child := range n.Content {
		result, ok := s.resolveStored(child)
		allOK = allOK && ok
		resolved.Content = append(resolved.Content, result)
	}
	resolved.Value = dynamicReference.ReplaceAllStringFunc(n.Value, func(match string) string {
		value, ok := s.stored(n, strings.Trim(match, "{}"))
		allOK = allOK && ok
		return value
	})
	return &resolved, allOK
}

// stored returns the value of one dynamic reference.
func (s scope) stored(n *yaml.Node, reference string) (string, bool) {
	s.r.resolved[reference] = true
	if value, ok := s.r.options.Parameters[reference]; ok {
		return value.Text, true
	}
	flag := `--parameter-overrides "` + reference + `=value"`
	path, isStored := strings.CutPrefix(reference, resolvePrefix+"ssm:")
	if !isStored {
		s.r.add(n.Line, s.subject, "{{%s}} needs a value, since the local stack has no such service; give it with %s", reference, flag)
		return "", false
	}
	path, _, _ = strings.Cut(path, ":") // a version may follow
	warning := "{{" + reference + "}} is in the parameter store, which the local stack does not have; its value is " + path +
		" here. Give another with " + flag
	if !slices.Contains(s.r.stack.Warnings, warning) {
		s.r.stack.Warnings = append(s.r.stack.Warnings, warning)
	}
	return path, true
}

// checkResolved reports values of dynamic references that the template does not have.
func (r *resolution) checkResolved(given map[string]spec.Value) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if isResolve(name) && !r.resolved[name] {
			r.add(0, "Parameter "+name, "the template has no {{%s}} that has an effect", name)
		}
	}
}
