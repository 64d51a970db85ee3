package template

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// What AWS refuses at deployment.

const (
	// maxVariables is the most bytes of a function's environment variables, as JSON.
	// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
	maxVariables = 4 << 10
	// The most entries of a template's sections.
	// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html.
	maxResources, maxOutputs, maxParameters, maxMappings = 500, 200, 200, 200
)

// checkVariablesSize reports variables that Lambda does not store.
func checkVariablesSize(o object, variables map[string]string) {
	text, err := json.Marshal(variables)
	if err == nil && len(variables) > 0 && len(text) > maxVariables {
		o.add(o.lineOf("Environment"), "the environment variables have %d bytes as JSON; Lambda takes %d", len(text), maxVariables)
	}
}

// checkCounts reports sections with more entries than CloudFormation takes.
func (t *Template) checkCounts(found *problems) {
	for name, section := range map[string]struct {
		have, most int
	}{
		"Mappings": {count(t.mappings), maxMappings}, "Outputs": {count(t.outputs), maxOutputs},
		"Parameters": {len(t.declarations), maxParameters}, "Resources": {count(t.resources), maxResources},
	} {
		if section.have > section.most {
			found.add(member(t.root, name).Line, "", "section %s has %d entries; CloudFormation takes %d", name, section.have, section.most)
		}
	}
}

// checkUnique reports resources of one type with the same physical name.
func (r *resolution) checkUnique() {
	owners := map[string]*resource{}
	for _, res := range r.order {
		if nameForms[res.kind] == nil || res.name == "" {
			continue
		}
		key := res.kind + " " + res.name
		if first := owners[key]; first != nil {
			r.add(res.key.Line, res.subject(), "its name %s is the name of %s already", res.name, first.id)
			continue
		}
		owners[key] = res
	}
}

// checkMappings reports a second mapping of a queue to a function, which Lambda refuses.
func (r *resolution) checkMappings() {
	first := map[[2]string]string{}
	for i, m := range r.stack.Mappings {
		key := [2]string{m.QueueARN, m.Function}
		if id, twice := first[key]; twice && m.QueueARN != "" {
			r.add(r.reached[i].line, "Resource "+m.LogicalID, "%s maps the queue %s to this function already", id, m.Queue)
			continue
		}
		first[key] = m.LogicalID
	}
}

// checkSiblings reports path parameters of one place with different names, such as /a/{id} and /a/{name}/b.
func (r *resolution) checkSiblings(api *builtAPI) {
	names := map[string]string{}
	for _, route := range api.Routes {
		parent := ""
		for _, segment := range pathSegments(route.Path) {
			if kind := parameterKind(segment); kind != "" {
				place := parent + "/" + kind
				if other := names[place]; other != "" && other != segment {
					r.add(r.routeLine(api, route), api.subject(), "%s %s: API Gateway does not take %s beside %s in the same place",
						route.Method, route.Path, segment, other)
				} else {
					names[place] = segment
				}
				segment = kind
			}
			parent += "/" + segment
		}
	}
}

func pathSegments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// parameterKind returns what a path parameter stands for, "" for a literal segment.
func parameterKind(segment string) string {
	switch {
	case !parameter.MatchString(segment):
		return ""
	case strings.HasSuffix(segment, "+}"):
		return "{+}"
	}
	return "{}"
}

// routeLine returns the line of the event of a route, else that of the API's definition.
func (r *resolution) routeLine(api *builtAPI, route spec.Route) int {
	for _, event := range r.events {
		if event.api == api.id && event.Route == route {
			return event.line
		}
	}
	if api.body != nil {
		return api.body.Line
	}
	return api.key.Line
}

func count(section *yaml.Node) (n int) {
	for range members(section) {
		n++
	}
	return n
}
