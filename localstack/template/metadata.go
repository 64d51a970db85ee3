package template

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// readMetadata reads Metadata.Local, the local stack's own metadata. It ignores all other metadata.
func (t *Template) readMetadata(found *problems) {
	const subject = "Metadata Local"
	own := follow(member(section(t.root, "Metadata", found), "Local"))
	if own == nil {
		return
	}
	if own.Kind != yaml.MappingNode {
		found.add(own.Line, subject, "is not a mapping; allowed is Provide")
	}
	for key, value := range members(own) {
		switch value = follow(value); {
		case key.Value != "Provide":
			found.add(key.Line, subject, "unknown member %s; allowed is Provide", key.Value)
		case value.Kind != yaml.SequenceNode:
			found.add(key.Line, subject, "Provide is not a list")
		default:
			for _, entry := range value.Content {
				t.readProvide(follow(entry), found)
			}
		}
	}
}

// readProvide reads an entry of Metadata.Local.Provide.
func (t *Template) readProvide(n *yaml.Node, found *problems) {
	const subject = "Metadata Local.Provide"
	p := spec.Provide{Place: fmt.Sprintf("%s:%d", t.path, n.Line)}
	for key, value := range members(n) {
		switch value = follow(value); {
		case key.Value == "Service" && value.Kind == yaml.ScalarNode:
			p.Service = value.Value
		case key.Value == "Optional" && (value.Value == "true" || value.Value == "false"):
			p.Optional = value.Value == "true"
		case key.Value == "Parameters" && value.Kind == yaml.MappingNode:
			p.Parameters = t.readFilled(value, subject, found)
		case key.Value == "Else" && value.Kind == yaml.MappingNode:
			p.Else = t.readFilled(value, subject, found)
			t.checkData(value, subject, found)
		default:
			found.add(key.Line, subject, "%s is unknown or has the wrong form; allowed are Service, a name; Optional, true or false; "+
				"Parameters and Else, mappings", key.Value)
		}
	}
	values, known := spec.Services[p.Service]
	switch {
	case !known:
		found.add(n.Line, subject, "Service is %q; allowed are %s", p.Service, list(slices.Sorted(maps.Keys(spec.Services))))
		return
	case slices.ContainsFunc(t.Provide, func(other spec.Provide) bool { return other.Service == p.Service }):
		found.add(n.Line, subject, "duplicate entry of service %s", p.Service)
	case p.Address() == "":
		found.add(n.Line, subject, "Parameters needs one for the address of the service: Url, Address or Host")
	}
	for key, value := range members(follow(member(n, "Parameters"))) {
		if !slices.Contains(values, value.Value) {
			found.add(key.Line, subject, "%s has no value %q; it has %s", p.Service, value.Value, list(values))
		}
	}
	t.Provide = append(t.Provide, p)
}

// readFilled reads a mapping whose keys are parameters of the template.
func (t *Template) readFilled(n *yaml.Node, subject string, found *problems) map[string]string {
	filled := map[string]string{}
	for parameter, value := range members(n) {
		if names := t.names(); !slices.Contains(names, parameter.Value) {
			found.add(parameter.Line, subject, "parameter %q %s", parameter.Value, undeclared(parameter.Value, names))
		}
		if value.Kind != yaml.ScalarNode {
			found.add(value.Line, subject, "the value of %s is not a scalar", parameter.Value)
		}
		filled[parameter.Value] = value.Value
	}
	return filled
}

var variableReference = regexp.MustCompile(`\$\{[^}]*\}?`)

// checkData refuses unknown variables in the values of Else.
func (t *Template) checkData(n *yaml.Node, subject string, found *problems) {
	for _, value := range members(n) {
		for _, reference := range variableReference.FindAllString(value.Value, -1) {
			if reference != "${Data}" {
				found.add(value.Line, subject, "unknown variable %s; allowed is ${Data}, the data folder", reference)
			}
		}
	}
}
