package template

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// implicitHTTPAPI is SAM's name for the HTTP API of events without ApiId.
const implicitHTTPAPI = "ServerlessHttpApi"

// httpAPIEffects are the properties of an AWS::Serverless::HttpApi.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html.
var httpAPIEffects = effects{
	"CorsConfiguration": emulated,
	"StageName":         emulated,

	"AccessLogSettings":         noted("the API writes no access log").in(partStage),
	"Auth":                      noted(noteCallers),
	"DefaultRouteSettings":      noted(noteThrottling).in(partStage),
	"Description":               silent,
	"DisableExecuteApiEndpoint": silent,
	"Domain":                    noted("the API has no domain name of its own").in(partStage),
	"FailOnWarnings":            silent,
	"Name":                      silent,
	"PropagateTags":             silent,
	"RouteSettings":             noted(noteThrottling).in(partStage),
	"Tags":                      silent,
}

var httpCORSEffects = effects{
	"AllowCredentials": emulated, "AllowHeaders": emulated, "AllowMethods": emulated, "AllowOrigins": emulated,
	"ExposeHeaders": emulated, "MaxAge": emulated,
}

// builtHTTPAPI is an HTTP API with its resource.
type builtHTTPAPI struct {
	*spec.HTTPAPI
	*resource
}

// httpEvent is an event of type HttpApi.
type httpEvent struct {
	spec.HTTPRoute
	function, api string // logical ids
	line          int
	name          string // for messages
}

func (r *resolution) buildHTTPAPI(res *resource, o object) {
	stage := o.text("StageName")
	if stage == "" {
		stage = "$default"
	}
	api := &spec.HTTPAPI{LogicalID: res.id, ID: r.apiID(res.id), StageName: stage}
	if n := o.members["CorsConfiguration"]; n != nil && n.Kind == yaml.ScalarNode {
		if o.boolean("CorsConfiguration", false) {
			api.CORS = &spec.HTTPCORS{AllowOrigins: []string{"*"}}
		}
	} else if c, ok := o.object("CorsConfiguration", httpCORSEffects); ok {
		api.CORS = &spec.HTTPCORS{
			AllowOrigins: c.texts("AllowOrigins"), AllowMethods: c.texts("AllowMethods"), AllowHeaders: c.texts("AllowHeaders"),
			ExposeHeaders: c.texts("ExposeHeaders"), AllowCredentials: c.boolean("AllowCredentials", false),
		}
		if c.members["MaxAge"] != nil {
			age := c.integer("MaxAge", 0, -1, 86400)
			api.CORS.MaxAge = &age
		}
		if api.CORS.AllowCredentials && slices.Contains(api.CORS.AllowOrigins, "*") {
			c.add(c.lineOf("AllowCredentials"), "property CorsConfiguration.AllowCredentials is true, which API Gateway takes only without the origin *")
		}
	}
	r.httpAPIs = append(r.httpAPIs, builtHTTPAPI{api, res})
}

// readHTTPEvent reads an event of type HttpApi. Without Path and Method, it is the route $default.
func (r *resolution) readHTTPEvent(function *resource, key *yaml.Node, o object) {
	name, _ := r.nameOf(function)
	event := httpEvent{api: implicitHTTPAPI, function: function.id, line: key.Line, name: o.subject}
	event.PayloadFormat = o.oneOf("PayloadFormatVersion", "2.0", "1.0")
	event.Route = spec.Route{Method: strings.ToUpper(o.text("Method")), Path: o.text("Path"), Function: name}
	if event.Method == strings.ToUpper(anyMethod) {
		event.Method = "ANY"
	}
	switch {
	case event.Path == "$default" && event.Method == "":
		event.Path = ""
	case event.Path != "" || event.Method != "":
		o.require("Method")
		o.require("Path")
		if event.Path == "" || event.Method == "" {
			return
		}
		r.checkRoute(o.subject, o.lineOf("Path"), event.Route)
	}
	if id := o.text("ApiId"); id != "" {
		event.api = ""
		for _, res := range r.order {
			if res.kind == "AWS::Serverless::HttpApi" && r.apiID(res.id) == id {
				event.api = res.id
			}
		}
		if event.api == "" {
			o.add(o.lineOf("ApiId"), "property ApiId is %s, which is no AWS::Serverless::HttpApi of this template", id)
			return
		}
	}
	r.httpEvents = append(r.httpEvents, event)
}

// finishHTTPAPI gives the HTTP APIs the routes of their events.
func (r *resolution) finishHTTPAPI() {
	for _, api := range r.httpAPIs {
		owners := map[string]string{}
		for _, event := range r.httpEvents {
			if event.api != api.resource.id {
				continue
			}
			route := event.Method + " " + event.Path
			if event.Path == "" {
				route = "$default"
			}
			if owner, taken := owners[route]; taken {
				r.add(event.line, event.name, "%s is the route of %s already", route, owner)
				continue
			}
			owners[route] = event.function
			api.Routes = append(api.Routes, event.HTTPRoute)
			api.depend(event.function)
		}
		switch {
		case len(api.Routes) == 0:
			r.add(api.key.Line, api.subject(), "the API has no routes: no event of type HttpApi refers to it")
		case r.stack.HTTPAPI != nil || r.stack.API != nil:
			r.add(api.key.Line, api.subject(), "a second API is not supported by the local stack")
		default:
			r.stack.HTTPAPI = api.HTTPAPI
		}
	}
}

// addOfHTTPAPI adds the stage of an HTTP API.
func (r *resolution) addOfHTTPAPI(res *resource) {
	stage, id := r.early(res, "StageName"), res.id+"ApiGatewayDefaultStage"
	if stage == "" {
		stage = "$default"
	} else {
		id = res.id + letters(stage) + "Stage"
	}
	added := r.addMade(res, made{id: id, kind: "AWS::ApiGatewayV2::Stage", ref: stage, on: []string{res.id}})
	res.setPart(partStage, added)
	r.also(res.id+".Stage", added)
}
