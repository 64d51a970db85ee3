package template

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
		o.add(o.lineOf("ServiceToken"), "property ServiceToken is %s, which is no function of this template", token)
		return
	}
	properties := map[string]any{}
	for name, value := range o.members {
		properties[name] = plain(value)
	}
	r.stack.CustomResources = append(r.stack.CustomResources, CustomResource{
		LogicalID: res.id, Type: res.kind, Function: function.id, Properties: properties,
	})
}
