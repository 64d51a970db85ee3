package template

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// builtAPI is an AWS::Serverless::Api with the source of its routes.
type builtAPI struct {
	spec.API
	*resource
	// body is the DefinitionBody, whose paths are the routes. It is nil if the events are the routes.
	body *yaml.Node
}

// apiEvent is an event of type Api.
type apiEvent struct {
	spec.Route
	function string // logical id, as api is
	api      string
	line     int
	name     string // for messages
}

// apiID returns the value of Ref for an API.
func (r *resolution) apiID(logicalID string) string {
	return awsid.ShortID(r.options.StackName+"/"+logicalID, 10)
}

// apiOf returns the API with an id, nil if the template has none.
func (r *resolution) apiOf(id string) *resource {
	for _, res := range r.order {
		if res.kind == "AWS::Serverless::Api" && r.apiID(res.id) == id {
			return res
		}
	}
	return nil
}

// buildAPI reads an AWS::Serverless::Api.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html.
func (r *resolution) buildAPI(res *resource, o object) {
	stage := implicitStage
	if res.id != implicitAPI {
		o.require("StageName")
		stage = o.text("StageName")
	}
	api := &builtAPI{resource: res, body: o.members["DefinitionBody"]}
	api.API = spec.API{
		LogicalID: res.id, ID: r.apiID(res.id), StageName: stage, GatewayResponses: r.gatewayResponses(o),
		CORS: r.cors(o), BinaryMediaTypes: o.binaryTypes(),
	}
	r.apis = append(r.apis, api)
}

var (
	methods   = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	parameter = regexp.MustCompile(`^\{[a-zA-Z0-9._:-]+\+?\}$`)
)

// readAPIEvent reads an event of type Api.
func (r *resolution) readAPIEvent(function *resource, key *yaml.Node, o object) {
	o.require("Method")
	o.require("Path")
	name, _ := r.nameOf(function)
	event := apiEvent{
		api: implicitAPI, function: function.id, line: key.Line, name: o.subject,
		Route: spec.Route{Method: strings.ToUpper(o.text("Method")), Path: o.text("Path"), Function: name},
	}
	if event.Method == "" || event.Path == "" {
		return
	}
	r.checkRoute(o.subject, o.lineOf("Path"), event.Route)
	if id := o.text("RestApiId"); id != "" {
		api := r.apiOf(id)
		if api == nil {
			o.add(o.lineOf("RestApiId"), "property RestApiId is %s; it must be an AWS::Serverless::Api of this template", id)
			return
		}
		event.api = api.id
	}
	r.events = append(r.events, event)
}

func (r *resolution) checkRoute(subject string, line int, route spec.Route) {
	if !slices.Contains(methods, route.Method) {
		r.add(line, subject, "unknown method %s; allowed are %s", route.Method, list(methods))
	}
	if !strings.HasPrefix(route.Path, "/") {
		r.add(line, subject, "path %q does not begin with /", route.Path)
		return
	}
	segments := strings.Split(strings.TrimPrefix(route.Path, "/"), "/")
	for i, segment := range segments {
		switch {
		case segment == "" && len(segments) > 1:
			r.add(line, subject, "path %q has an empty segment", route.Path)
		case strings.ContainsAny(segment, "{}") && !parameter.MatchString(segment):
			r.add(line, subject, "path %q: a parameter must be a whole segment, such as {id} or {proxy+}", route.Path)
		case strings.HasSuffix(segment, "+}") && i < len(segments)-1:
			r.add(line, subject, "path %q: only the last segment may have the form %s", route.Path, segment)
		}
	}
}

// finishAPI combines events and definition bodies.
func (r *resolution) finishAPI() {
	for _, api := range r.apis {
		for _, extra := range r.extraResponses {
			if extra.api == api.resource {
				api.GatewayResponses[extra.kind] = extra.GatewayResponse
			}
		}
		if api.body != nil {
			r.routesOfBody(api)
		} else {
			r.routesOfEvents(api)
		}
		r.checkSiblings(api)
		line := api.key.Line
		switch {
		case len(api.Routes) == 0:
			r.add(line, api.subject(), "the API has no routes: no event of type Api refers to it")
		case r.stack.API != nil:
			r.add(line, api.subject(), "a second API is not supported by the local stack; the first is %s", r.stack.API.LogicalID)
		default:
			r.stack.API = &api.API
		}
	}
}

// routesOfEvents makes the routes that SAM writes for an API without a definition.
func (r *resolution) routesOfEvents(api *builtAPI) {
	owners := map[string]string{}
	for _, event := range r.events {
		if event.api != api.id {
			continue
		}
		route := event.Method + " " + event.Path
		if owner, taken := owners[route]; taken {
			r.add(event.line, event.name, "route %s already belongs to %s", route, owner)
			continue
		}
		owners[route] = event.function
		api.Routes = append(api.Routes, event.Route)
		api.depend(event.function) // the definition names the function
	}
}

// hasRoute reports whether an API has a route with exactly this method and path.
func hasRoute(a *spec.API, method, path string) bool {
	return slices.ContainsFunc(a.Routes, func(r spec.Route) bool { return r.Method == method && r.Path == path })
}
