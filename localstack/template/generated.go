package template

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// What SAM makes of resources has logical ids that a template may refer to, and that its own properties may make depend on
// each other. See
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html.

// implicitAPI and implicitStage are SAM's names for the API of events that name none.
const (
	implicitAPI   = "ServerlessRestApi"
	implicitStage = "Prod"
)

// part names a resource that SAM makes of another, and that some of its properties belong to.
type part string

const (
	partAlias  part = "alias"
	partGroup  part = "deployment group"
	partInvoke part = "configuration of asynchronous invocations"
	partRole   part = "role"
	partStage  part = "stage"
)

// made is a resource that SAM makes.
type made struct {
	id, kind string
	// ref is what Ref gives. arn is what Fn::GetAtt gives for Arn; "" for the common form.
	ref, arn string
	on       []string // what it depends on
}

// addMade adds what SAM makes of a resource, unless the template has a resource of its name. It returns the resource.
func (r *resolution) addMade(of *resource, m made) *resource {
	r.addResource(&resource{
		id: m.id, kind: m.kind, key: of.key, name: m.ref, named: m.ref != "", arn: m.arn, effects: &resourceType{},
	})
	res := r.resources[m.id]
	for _, id := range m.on {
		res.depend(id)
	}
	return res
}

// addGenerated adds the resources that SAM makes of a resource.
func (r *resolution) addGenerated(res *resource, globals map[string]*yaml.Node) {
	switch res.kind {
	case "AWS::Serverless::Function":
		r.addOfFunction(res)
		for key, event := range members(member(res.properties, "Events")) {
			r.addOfEvent(res, key, event, globals)
		}
	case "AWS::Serverless::Api":
		r.addOfAPI(res)
	case "AWS::Serverless::HttpApi":
		r.addOfHTTPAPI(res)
	}
}

// addOfFunction adds the role, version, alias and deployment of a function.
func (r *resolution) addOfFunction(res *resource) {
	if member(res.properties, "Role") == nil {
		res.setPart(partRole, r.addMade(res, made{id: res.id + "Role", kind: "AWS::IAM::Role"}))
		res.depend(res.id + "Role")
	}
	if member(res.properties, "EventInvokeConfig") != nil {
		res.setPart(partInvoke, r.addMade(res, made{
			id: res.id + "EventInvokeConfig", kind: "AWS::Lambda::EventInvokeConfig", on: []string{res.id},
		}))
	}
	alias := r.early(res, "AutoPublishAlias")
	if alias == "" {
		return
	}
	name := r.options.StackName + "-" + res.id
	if given := r.early(res, "FunctionName"); given != "" {
		name = given
	}
	version := res.id + ".Version"
	r.addMade(res, made{id: version, kind: "AWS::Lambda::Version", ref: functionARN(name) + ":1", on: []string{res.id}})
	moved := r.addMade(res, made{
		id: res.id + "Alias" + alias, kind: "AWS::Lambda::Alias", ref: functionARN(name) + ":" + alias, on: []string{res.id, version},
	})
	res.setPart(partAlias, moved)
	res.setPart(partGroup, moved)
	r.also(res.id+".Alias", moved)
	preference := member(res.properties, "DeploymentPreference")
	if on := member(preference, "Enabled"); preference == nil || on != nil && strings.EqualFold(on.Value, "false") {
		return
	}
	r.addMade(res, made{id: "ServerlessDeploymentApplication", kind: "AWS::CodeDeploy::Application"})
	r.addMade(res, made{id: "CodeDeployServiceRole", kind: "AWS::IAM::Role"})
	group := r.addMade(res, made{
		id: res.id + "DeploymentGroup", kind: "AWS::CodeDeploy::DeploymentGroup",
		on: []string{"ServerlessDeploymentApplication", "CodeDeployServiceRole"},
	})
	res.setPart(partGroup, group)
	moved.depend(group.id) // the alias is moved by a deployment of the group
}

// addOfAPI adds the stage and deployment of an API.
func (r *resolution) addOfAPI(res *resource) {
	stage := r.early(res, "StageName")
	if res.id == implicitAPI {
		stage = implicitStage
	}
	deployment := res.id + ".Deployment"
	r.addMade(res, made{id: deployment, kind: "AWS::ApiGateway::Deployment", ref: "local", on: []string{res.id}})
	if stage == "" { // it is missing or wrong, which is reported when the API is built
		return
	}
	added := r.addMade(res, made{
		id: res.id + letters(stage) + "Stage", kind: "AWS::ApiGateway::Stage", ref: stage, on: []string{res.id, deployment},
	})
	res.setPart(partStage, added)
	r.also(res.id+".Stage", added)
}

// addOfEvent adds what SAM makes of an event: the implicit API, a rule or mapping, and the permission to invoke.
func (r *resolution) addOfEvent(res *resource, key, event *yaml.Node, globals map[string]*yaml.Node) {
	kind, id := member(event, "Type"), res.id+key.Value
	if kind == nil {
		return
	}
	name := r.options.StackName + "-" + id
	switch kind.Value {
	case "Api":
		stage := implicitStage
		if of := member(member(event, "Properties"), "RestApiId"); of == nil {
			r.addResource(&resource{
				id: implicitAPI, kind: "AWS::Serverless::Api", key: kind, properties: globals["AWS::Serverless::Api"],
			})
			r.addOfAPI(r.resources[implicitAPI])
		} else if _, argument, is := intrinsic(of); is && r.resources[argument.Value] != nil {
			stage = r.early(r.resources[argument.Value], "StageName")
		}
		r.addMade(res, made{id: id + "Permission" + letters(stage), kind: "AWS::Lambda::Permission"})
	case "HttpApi":
		if member(member(event, "Properties"), "ApiId") == nil {
			r.addResource(&resource{
				id: implicitHTTPAPI, kind: "AWS::Serverless::HttpApi", key: kind, properties: globals["AWS::Serverless::HttpApi"],
			})
			r.addOfHTTPAPI(r.resources[implicitHTTPAPI])
		}
		r.addMade(res, made{id: id + "Permission", kind: "AWS::Lambda::Permission"})
	case "SQS":
		r.addMade(res, made{id: id, kind: "AWS::Lambda::EventSourceMapping", ref: awsid.ShortID(name, 12)})
	case "Schedule":
		r.addMade(res, made{id: id, kind: "AWS::Events::Rule", ref: name, arn: awsid.ARN("events", "rule/"+name)})
		r.addMade(res, made{id: id + "Permission", kind: "AWS::Lambda::Permission"})
	}
}

// early is a text property whose value names generated resources; "" if it has none or a wrong one, which is reported when
// the resource is built. It may refer to parameters only, as in SAM.
func (r *resolution) early(res *resource, property string) string {
	n := member(res.properties, property)
	if n == nil {
		return ""
	}
	quiet := *r
	quiet.problems = &problems{}
	value, ok := scope{r: &quiet}.eval(n)
	if !ok || value == nil || value.Kind != yaml.ScalarNode {
		return ""
	}
	return value.Value
}

// letters is a name as SAM puts it into a logical id: without what a logical id does not have.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, name)
}

// also gives a resource a second name, such as SAM's Function.Alias.
func (r *resolution) also(name string, res *resource) { r.resources[name] = res }

// setPart says which resource a property with a part belongs to.
func (r *resource) setPart(p part, of *resource) {
	if r.parts == nil {
		r.parts = map[part]*resource{}
	}
	r.parts[p] = of
}

// owner is the resource that a property belongs to: the part that SAM makes, else the resource itself.
func (r *resource) owner(p part) *resource {
	if of := r.parts[p]; of != nil {
		return of
	}
	return r
}
