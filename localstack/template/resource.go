package template

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resourceAttributes are the attributes of a resource. The deletion and update policies have no effect.
var resourceAttributes = []string{
	"Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
	"UpdateReplacePolicy",
}

// readResources finds the existing resources before it evaluates any property, so that each can refer to all.
func (r *resolution) readResources() {
	globals := r.readGlobals()
	for key, node := range members(r.template.resources) {
		if res := r.readResource(key, node, globals); res != nil {
			r.resources[res.id] = res
			r.order = append(r.order, res)
		}
	}
	for _, res := range slices.Clone(r.order) {
		r.addGenerated(res, globals)
	}
	for _, res := range r.order {
		r.readDependsOn(res)
	}
}

func (r *resolution) readResource(key, node *yaml.Node, globals map[string]*yaml.Node) *resource {
	res := &resource{id: key.Value, key: key, node: node}
	kind := member(node, "Type")
	if kind == nil || kind.Kind != yaml.ScalarNode {
		r.add(key.Line, res.subject(), "has no Type")
		return nil
	}
	res.kind = kind.Value
	for attribute := range members(node) {
		if !slices.Contains(resourceAttributes, attribute.Value) {
			r.add(attribute.Line, res.subject(), "unknown attribute %s; allowed are %s", attribute.Value, list(resourceAttributes))
		}
	}
	if on := member(node, "Condition"); on != nil {
		holds, ok := r.condition(scope{r: r, subject: res.subject()}, on, on.Value)
		if !holds || !ok {
			r.absent[res.id] = on.Value
			return nil
		}
	}
	if res.effects = typeOf(res.kind); res.effects == nil {
		r.add(kind.Line, res.subject(), "type %s is not supported by the local stack; supported are %s%s",
			res.kind, list(supportedTypes()), unlessConditional(node))
		res.effects = &resourceType{} // prevents errors about references to it
	}
	if strings.HasPrefix(res.kind, "AWS::Serverless::") && r.template.sam == nil {
		r.add(kind.Line, res.subject(), "type %s needs Transform: %s", res.kind, serverless)
	}
	res.properties = merge(globals[res.kind], member(node, "Properties"))
	return res
}

// unlessConditional suggests a condition for an unsupported resource.
func unlessConditional(node *yaml.Node) string {
	if on := member(node, "Condition"); on != nil {
		return "; its condition " + on.Value + " is true"
	}
	return ""
}

// readGlobals gives the properties in Globals by resource type.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html.
func (r *resolution) readGlobals() map[string]*yaml.Node {
	globals := map[string]*yaml.Node{}
	for key, node := range members(r.template.globals) {
		switch key.Value {
		case "Api", "Function", "HttpApi":
			globals["AWS::Serverless::"+key.Value] = node
		default:
			r.add(key.Line, "Globals", "section %s is not supported by the local stack; supported are Api, Function, HttpApi", key.Value)
		}
	}
	return globals
}

// merge applies a resource's properties to the global ones as SAM does: it merges mappings, joins lists and replaces
// everything else.
func merge(global, own *yaml.Node) *yaml.Node {
	global, own = follow(global), follow(own)
	if own == nil {
		return global
	}
	if global == nil || global.Kind != own.Kind || isCall(global) || isCall(own) {
		return own
	}
	merged := *own
	switch own.Kind {
	case yaml.SequenceNode:
		merged.Content = slices.Concat(global.Content, own.Content)
	case yaml.MappingNode:
		merged.Content = nil
		for key, value := range members(global) {
			merged.Content = append(merged.Content, key, merge(value, member(own, key.Value)))
		}
		for key, value := range members(own) {
			if member(global, key.Value) == nil {
				merged.Content = append(merged.Content, key, value)
			}
		}
	}
	return &merged
}

func isCall(n *yaml.Node) bool {
	_, _, is := intrinsic(n)
	return is
}

// addResource adds a generated resource, unless the template has one of that name.
func (r *resolution) addResource(res *resource) {
	if r.resources[res.id] != nil {
		return
	}
	if res.effects == nil {
		res.effects = typeOf(res.kind)
	}
	r.resources[res.id] = res
	r.order = append(r.order, res)
}

func (r *resolution) readDependsOn(res *resource) {
	on := member(res.node, "DependsOn")
	if on == nil {
		return
	}
	names := []*yaml.Node{on}
	if on.Kind == yaml.SequenceNode {
		names = on.Content
	}
	for _, name := range names {
		name = follow(name)
		switch _, absent := r.absent[name.Value]; {
		case r.resources[name.Value] != nil:
			res.depend(name.Value)
		case !absent: // CloudFormation ignores resources whose condition is false
			r.add(name.Line, res.subject(), "DependsOn names %s, which is not a resource", name.Value)
		}
	}
}

// build evaluates all resources.
func (r *resolution) build() {
	for _, res := range r.order {
		r.checkMetadata(res)
		s := scope{r: r, subject: res.subject(), resources: true, from: res}
		properties := res.properties
		if properties == nil || isNull(properties) {
			properties = &yaml.Node{Kind: yaml.MappingNode, Line: res.key.Line}
		}
		row := res.effects
		if row.build == nil {
			r.read(s, res, "", properties, effects{"*": silent})
			r.note(row.note, res)
			continue
		}
		row.build(r, res, r.read(s, res, "", properties, row.properties))
	}
	r.finishAPI()
	r.finishHTTPAPI()
	r.finishMappings()
}
