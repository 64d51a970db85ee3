package template

import (
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// buildFunction reads an AWS::Serverless::Function.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html.
func (r *resolution) buildFunction(res *resource, o object) {
	if o.text("PackageType") == "Image" {
		o.add(o.lineOf("PackageType"), "property PackageType is Image, and the local stack runs no containers; use Zip with Runtime: provided.al2023, "+
			"Handler: bootstrap, CodeUri: the folder of the Go code, and Metadata: {BuildMethod: go1.x}")
		return
	}
	o.require("Handler")
	o.require("Runtime")
	o.oneOf("PackageType", "Zip")
	for _, architecture := range o.texts("Architectures") {
		if architecture != "arm64" && architecture != "x86_64" {
			o.add(o.lineOf("Architectures"), "property Architectures has %q; allowed are arm64, x86_64", architecture)
		}
	}
	name, _ := r.nameOf(res)
	f := spec.Function{
		LogicalID: res.id, Name: name, ARN: functionARN(name),
		Handler:     o.text("Handler"),
		Timeout:     o.seconds("Timeout", 3, 1, 900),
		MemorySize:  o.integer("MemorySize", 128, 128, 10240),
		Environment: r.readEnvironment(res, o),
	}
	r.readCode(&f, res, o)
	if o.members["ReservedConcurrentExecutions"] != nil {
		reserved := o.integer("ReservedConcurrentExecutions", 0, 0, 1_000_000)
		f.ReservedConcurrency = &reserved
	}
	r.stack.Functions = append(r.stack.Functions, f)
	for key, event := range members(o.members["Events"]) {
		r.readEvent(res, key, event)
	}
}

var (
	variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	// reservedVariables are set by Lambda, which refuses functions that set them. See
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime.
	reservedVariables = []string{
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	}
)

// readEnvironment reads the variables of a function, and adds those of the options.
func (r *resolution) readEnvironment(function *resource, o object) map[string]string {
	variables := map[string]string{}
	if environment, ok := o.object("Environment", environmentEffects); ok {
		for key := range members(environment.members["Variables"]) {
			checkVariable(o, key.Line, key.Value)
		}
		maps.Copy(variables, environment.textMap("Variables"))
	}
	checkVariablesSize(o, variables)
	for _, id := range []string{AllFunctions, function.id} {
		for _, name := range slices.Sorted(maps.Keys(r.options.Variables[id])) {
			checkVariable(o, 0, name)
			variables[name] = r.options.Variables[id][name]
		}
	}
	return variables
}

func checkVariable(o object, line int, name string) {
	if slices.Contains(reservedVariables, name) || !variableName.MatchString(name) {
		o.add(line, "Lambda refuses the environment variable %s", name)
	}
}

// readEvent reads one of a function's events.
func (r *resolution) readEvent(function *resource, key, event *yaml.Node) {
	subject := function.subject() + ": event " + key.Value
	kind := member(event, "Type")
	if kind == nil {
		r.add(key.Line, subject, "has no Type")
		return
	}
	for attribute := range members(event) {
		if attribute.Value != "Type" && attribute.Value != "Properties" {
			r.add(attribute.Line, subject, "unknown attribute %s; allowed are Properties, Type", attribute.Value)
		}
	}
	allowed := eventEffects[kind.Value]
	if allowed == nil {
		r.add(kind.Line, subject, "type %s is not supported by the local stack; supported are Api, HttpApi, SQS, Schedule", kind.Value)
		return
	}
	properties := member(event, "Properties")
	if properties == nil && kind.Value == "HttpApi" { // the route $default
		properties = &yaml.Node{Kind: yaml.MappingNode, Line: key.Line}
	}
	if properties == nil {
		r.add(key.Line, subject, "has no Properties")
		return
	}
	// SAM turns events into separate resources, so the function does not depend on their references.
	s := scope{r: r, subject: subject, resources: true}
	o := r.read(s, function, "", properties, allowed)
	switch kind.Value {
	case "Api":
		r.readAPIEvent(function, key, o)
	case "HttpApi":
		r.readHTTPEvent(function, key, o)
	case "SQS":
		o.require("Queue")
		r.addMapping(function.id+key.Value, function, o.text("Queue"), o)
	case "Schedule":
		r.readSchedule(function, key, o)
	}
}
