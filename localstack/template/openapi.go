package template

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// The parts of an OpenAPI definition that the local stack supports. Others, such as validators, stage variables and
// CORS, would change the API's answers, so they are refused. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html.
var (
	bodyEffects = effects{
		"components": silent, "externalDocs": silent, "info": silent, "openapi": silent, "paths": emulated,
		"schemes": silent, "security": noted(noteCallers), "securityDefinitions": silent, "servers": silent,
		"swagger": silent, "tags": silent, "x-amazon-apigateway-api-key-source": noted(noteCallers),
		"x-amazon-apigateway-endpoint-configuration": silent, "x-amazon-apigateway-policy": noted(notePermissions),
	}
	operationEffects = effects{
		"consumes": silent, "deprecated": silent, "description": silent, "externalDocs": silent, "operationId": silent,
		"parameters": silent, "produces": silent, "requestBody": silent, "responses": silent,
		"security": noted(noteCallers), "summary": silent, "tags": silent,
		"x-amazon-apigateway-auth":        noted(noteCallers),
		"x-amazon-apigateway-integration": emulated,
	}
	integrationEffects = effects{
		"credentials": noted(notePermissions), "httpMethod": emulated, "passthroughBehavior": silent, "responses": silent,
		"type": emulated, "uri": emulated,
	}
)

const anyMethod = "x-amazon-apigateway-any-method"

// functionURI matches the address of a Lambda proxy integration.
var functionURI = regexp.MustCompile(`:lambda:path/2015-03-31/functions/([^/]+)/invocations$`)

// routesOfBody reads the routes of a DefinitionBody. As in SAM, events then only allow the API to invoke the function.
func (r *resolution) routesOfBody(api *builtAPI) {
	s := scope{r: r, subject: api.subject(), resources: true, from: api.resource}
	body := r.read(s, api.resource, "DefinitionBody.", api.body, bodyEffects)
	for path, item := range members(body.members["paths"]) {
		for method, operation := range members(item) {
			r.addOperation(s, api, path, method, operation)
		}
	}
	for _, event := range r.events {
		if event.api == api.id && !hasRoute(&api.API, event.Method, event.Path) {
			r.add(event.line, event.name, "%s %s is not in the DefinitionBody of %s, so API Gateway does not have this route",
				event.Method, event.Path, api.id)
		}
	}
	for _, route := range api.Routes {
		if !r.mayInvoke(api, route) {
			r.add(api.body.Line, api.subject(), "DefinitionBody sends %s %s to %s, which has no such event, so API Gateway may not invoke it",
				route.Method, route.Path, route.Function)
		}
	}
}

// mayInvoke reports whether an event allows a route to invoke its function. It does not read explicit permissions.
func (r *resolution) mayInvoke(api *builtAPI, route spec.Route) bool {
	for _, res := range r.order {
		if res.kind == "AWS::Lambda::Permission" {
			return true
		}
	}
	for _, event := range r.events {
		if event.api == api.id && event.Route == route {
			return true
		}
	}
	return false
}

func (r *resolution) addOperation(s scope, api *builtAPI, path, method, operation *yaml.Node) {
	route := spec.Route{Method: strings.ToUpper(method.Value), Path: path.Value}
	if method.Value == anyMethod {
		route.Method = "ANY"
	}
	r.checkRoute(s.subject, method.Line, route)
	name := "DefinitionBody.paths." + path.Value + "." + method.Value + "."
	o := r.read(s, api.resource, name, operation, operationEffects)
	o.line = method.Line
	integration, ok := o.object("x-amazon-apigateway-integration", integrationEffects)
	if !ok {
		o.require("x-amazon-apigateway-integration")
		return
	}
	if kind := integration.text("type"); !strings.EqualFold(kind, "aws_proxy") {
		integration.add(integration.line, "property %stype is %q; supported by the local stack: aws_proxy", integration.path, kind)
		return
	}
	integration.oneOf("httpMethod", "POST") // the method of the Invoke API, whatever the route's
	uri := functionURI.FindStringSubmatch(integration.text("uri"))
	var function *resource
	if uri != nil {
		function = r.functionOf(uri[1])
	}
	if function == nil {
		integration.add(integration.line, "property %suri is %q; it must invoke a function of this template",
			integration.path, integration.text("uri"))
		return
	}
	route.Function, _ = r.nameOf(function)
	api.Routes = append(api.Routes, route)
}
