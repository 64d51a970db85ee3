package template

import (
	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// buildCustomResource reads an AWS::CloudFormation::CustomResource or a Custom::….
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html.
func (r *resolution) buildCustomResource(res *resource, o object) {
	o.require("ServiceToken")
	token := o.text("ServiceToken")
	if token == "" {
		return
	}
	function := r.functionOf(token)
	if function == nil {
		o.add(o.lineOf("ServiceToken"), "property ServiceToken is %s; it must be a function of this template", token)
		return
	}
	name, _ := r.nameOf(function)
	properties := map[string]any{}
	for name, value := range o.members {
		properties[name] = plain(value)
	}
	r.stack.CustomResources = append(r.stack.CustomResources, spec.CustomResource{
		LogicalID: res.id, Type: res.kind, Function: name, Properties: properties, MayFail: r.mayFail(res),
	})
}

// mayFail reads Metadata.Local.MayFail of a resource.
func (r *resolution) mayFail(res *resource) bool {
	may := false
	for key, value := range members(member(member(res.node, "Metadata"), "Local")) {
		if key.Value != "MayFail" || value.Value != "true" && value.Value != "false" {
			r.add(key.Line, res.subject(), "Metadata Local has %s: %s; allowed is MayFail, true or false", key.Value, value.Value)
		}
		may = value.Value == "true"
	}
	return may
}

// checkMetadata refuses a resource's Metadata.Local where it would have no effect.
func (r *resolution) checkMetadata(res *resource) {
	own := member(member(res.node, "Metadata"), "Local")
	if own == nil || own.Kind == yaml.MappingNode && res.effects == resourceTypes["Custom::"] {
		return
	}
	r.add(own.Line, res.subject(), "Metadata Local has no effect here; custom resources may have it, with MayFail")
}
