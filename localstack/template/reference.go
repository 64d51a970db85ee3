package template

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// pseudo are the pseudo parameters but AWS::NoValue.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html.
func (r *resolution) pseudo(name string) (string, bool) {
	switch name {
	case "AWS::AccountId":
		return awsid.Account, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::Region":
		return awsid.Region, true
	case "AWS::StackId":
		return stackID(r.options.StackName), true
	case "AWS::StackName":
		return r.options.StackName, true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	}
	return "", false
}

func stackID(name string) string { return awsid.ARN("cloudformation", "stack/"+name+"/local") }

// isReference reports whether a dotted name is complete, such as SAM's Api.Stage.
func (r *resolution) isReference(name string) bool { return r.resources[name] != nil }

// ref returns the value of Ref. A nil node is AWS::NoValue.
func (s scope) ref(n *yaml.Node, name string) (*yaml.Node, bool) {
	if name == "AWS::NoValue" {
		return nil, true
	}
	if value, ok := s.r.pseudo(name); ok {
		return text(n, value), true
	}
	if value := s.r.parameters[name]; value != nil {
		here := *value
		here.Line, here.Column = n.Line, n.Column
		return &here, true
	}
	found := s.find(n, name)
	if found == nil {
		return nil, false
	}
	return s.refResource(n, found)
}

// find returns the referenced resource. If there is none, it reports that and returns nil.
func (s scope) find(n *yaml.Node, id string) *resource {
	found := s.r.resources[id]
	condition, absent := s.r.absent[id]
	switch {
	case !s.resources && (found != nil || absent):
		s.r.add(n.Line, s.subject, "%s is a resource; only parameters may be referred to here", id)
		return nil
	case absent:
		s.r.add(n.Line, s.subject, "refers to resource %s, which is absent because its condition %s is false", id, condition)
		return nil
	case found == nil && s.resources:
		s.r.add(n.Line, s.subject, "refers to %s, which is neither a parameter nor a resource", id)
	case found == nil:
		s.r.add(n.Line, s.subject, "refers to %s, which is not a parameter", id)
	}
	if found != nil && s.from != nil {
		s.from.depend(id)
	}
	return found
}

func (r *resource) depend(id string) {
	if !slices.Contains(r.dependsOn, id) {
		r.dependsOn = append(r.dependsOn, id)
	}
}

func (s scope) refResource(n *yaml.Node, found *resource) (*yaml.Node, bool) {
	switch {
	case found.kind == "AWS::Serverless::Api", found.kind == "AWS::Serverless::HttpApi":
		return text(n, s.r.apiID(found.id)), true
	case found.isCustom():
		return s.unknown(n, "Ref of custom resource "+found.id)
	}
	name, ok := s.r.nameOf(found)
	if ok && found.kind == "AWS::SQS::Queue" {
		name = s.r.queueURL(name)
	}
	return text(n, name), ok
}

func (r *resource) isCustom() bool {
	return r.kind == "AWS::CloudFormation::CustomResource" || strings.HasPrefix(r.kind, "Custom::")
}

// unknown handles values that exist only after a deployment: a placeholder in properties without effect, else an error.
func (s scope) unknown(n *yaml.Node, what string) (*yaml.Node, bool) {
	if s.lenient {
		return text(n, what), true
	}
	s.r.add(n.Line, s.subject, "%s is not supported by the local stack, which resolves the template before it runs custom resources", what)
	return nil, false
}

func (r *resolution) queueURL(name string) string {
	return awsid.QueueURL(r.options.Endpoint, name)
}

// getAtt returns the value of Fn::GetAtt: Resource.Attribute, or a list of both.
func (s scope) getAtt(n, argument *yaml.Node) (*yaml.Node, bool) {
	const wants = "a resource and one of its attributes"
	if argument.Kind == yaml.ScalarNode {
		id, attribute, ok := strings.Cut(argument.Value, ".")
		if !ok {
			return s.malformed(n, "Fn::GetAtt", wants)
		}
		return s.attribute(n, id, attribute)
	}
	args, ok := s.arguments(n, "Fn::GetAtt", argument, 2, wants)
	if !ok {
		return nil, false
	}
	return s.attribute(n, args[0].Value, args[1].Value)
}

func (s scope) attribute(n *yaml.Node, id, attribute string) (*yaml.Node, bool) {
	found := s.find(n, id)
	if found == nil {
		return nil, false
	}
	if found.isCustom() {
		return s.unknown(n, "Fn::GetAtt of custom resource "+id)
	}
	name, ok := s.r.nameOf(found)
	if !ok {
		return nil, false
	}
	switch found.kind + " " + attribute {
	case "AWS::Serverless::Function Arn":
		return text(n, functionARN(name)), true
	case "AWS::SQS::Queue Arn":
		return text(n, awsid.ARN("sqs", name)), true
	case "AWS::SQS::Queue QueueName":
		return text(n, name), true
	case "AWS::SQS::Queue QueueUrl":
		return text(n, s.r.queueURL(name)), true
	case "AWS::Serverless::HttpApi ApiEndpoint":
		return text(n, "https://"+s.r.apiID(id)+".execute-api."+awsid.Region+".amazonaws.com"), true
	case "AWS::Serverless::HttpApi ApiId":
		return text(n, s.r.apiID(id)), true
	case "AWS::Serverless::Api RootResourceId":
		return text(n, awsid.ShortID(id+"/", 10)), true
	}
	if attribute == "Arn" && found.arn != "" {
		return text(n, found.arn), true
	}
	if found.effects.build != nil {
		s.r.add(n.Line, s.subject, "attribute %s of %s (%s) is not supported by the local stack", attribute, id, found.kind)
		return nil, false
	}
	if !strings.HasSuffix(attribute, "Arn") {
		return text(n, name+"."+attribute), true
	}
	service, kind, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(found.kind, "AWS::")), "::")
	if service == "iam" { // IAM has no regions
		return text(n, awsid.GlobalARN(service, kind+"/"+name)), true
	}
	return text(n, awsid.ARN(service, name)), true
}

func functionARN(name string) string { return awsid.ARN("lambda", "function:"+name) }

// nameForms are the physical names that AWS accepts.
var nameForms = map[string]*regexp.Regexp{
	"AWS::Serverless::Function": regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`),
	"AWS::SQS::Queue":           regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`),
}

// nameOf returns a resource's physical name: its name property, or {StackName}-{LogicalID}.
func (r *resolution) nameOf(of *resource) (string, bool) {
	if of.named {
		return of.name, of.name != ""
	}
	if of.naming {
		r.add(of.key.Line, of.subject(), "its name depends on itself")
		return "", false
	}
	of.naming = true
	of.name = r.evalName(of)
	of.named, of.naming = true, false
	return of.name, of.name != ""
}

// evalName reports a wrong name and returns "".
func (r *resolution) evalName(of *resource) string {
	name := r.options.StackName + "-" + of.id
	line := of.key.Line
	if given := member(of.properties, of.effects.nameProperty); given != nil {
		s := scope{r: r, subject: of.subject(), resources: true, from: of}
		value, ok := s.eval(given)
		if !ok {
			return ""
		}
		if value != nil {
			name, line = value.Value, value.Line
		}
	}
	if form := nameForms[of.kind]; form != nil && !form.MatchString(name) {
		r.add(line, of.subject(), "its name %q does not match %s", name, form)
		return ""
	}
	return name
}
