package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// responseTypes are the errors that an API answers by itself. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html.
var responseTypes = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
	"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
	"INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE",
	"RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

var statusCode = regexp.MustCompile(`^[1-5][0-9][0-9]$`)

// samResponseEffects are the members of a response in the GatewayResponses of an AWS::Serverless::Api.
var samResponseEffects = effects{"ResponseParameters": emulated, "ResponseTemplates": emulated, "StatusCode": emulated}

// gatewayResponses reads GatewayResponses of an AWS::Serverless::Api.
func (r *resolution) gatewayResponses(o object) map[string]spec.GatewayResponse {
	responses := map[string]spec.GatewayResponse{}
	all := o.members["GatewayResponses"]
	if all != nil && all.Kind != yaml.MappingNode {
		o.add(all.Line, "property GatewayResponses is not a mapping")
		return responses
	}
	for key, node := range members(all) {
		path := "GatewayResponses." + key.Value + "."
		response := r.read(scope{r: r, subject: o.subject}, nil, path, node, samResponseEffects)
		o.checkResponseType(key.Line, key.Value)
		read := readResponse(response)
		if parameters, ok := response.object("ResponseParameters", effects{"Headers": emulated}); ok {
			read.Headers = parameters.textMap("Headers")
		}
		responses[key.Value] = read
	}
	return responses
}

// buildGatewayResponse reads an AWS::ApiGateway::GatewayResponse.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html.
func (r *resolution) buildGatewayResponse(res *resource, o object) {
	o.require("ResponseType")
	o.require("RestApiId")
	kind := o.text("ResponseType")
	if kind == "" {
		return
	}
	o.checkResponseType(o.lineOf("ResponseType"), kind)
	read := readResponse(o)
	for name, value := range o.textMap("ResponseParameters") {
		header, ok := strings.CutPrefix(name, "gatewayresponse.header.")
		if !ok {
			o.add(o.lineOf("ResponseParameters"), "property ResponseParameters.%s is not supported by the local stack; supported is gatewayresponse.header.…", name)
			continue
		}
		if read.Headers == nil {
			read.Headers = map[string]string{}
		}
		read.Headers[header] = value
	}
	id := o.text("RestApiId")
	api := r.apiOf(id)
	if id != "" && api == nil {
		o.add(o.lineOf("RestApiId"), "property RestApiId is %s; it must be an AWS::Serverless::Api of this template", id)
		return
	}
	r.extraResponses = append(r.extraResponses, extraResponse{api, kind, read})
}

// extraResponse is an AWS::ApiGateway::GatewayResponse. Its API may come later in the template.
type extraResponse struct {
	api  *resource
	kind string
	spec.GatewayResponse
}

func (o object) checkResponseType(line int, kind string) {
	if !slices.Contains(responseTypes, kind) {
		o.add(line, "unknown gateway response type %s; allowed are %s", kind, list(responseTypes))
	}
}

// readResponse reads the common members of both forms of a gateway response.
func readResponse(o object) spec.GatewayResponse {
	response := spec.GatewayResponse{Templates: o.textMap("ResponseTemplates")}
	if code := o.text("StatusCode"); code != "" {
		if !statusCode.MatchString(code) {
			o.add(o.lineOf("StatusCode"), "property %sStatusCode is %q; allowed are 100 to 599", o.path, code)
		}
		response.StatusCode, _ = strconv.Atoi(code)
	}
	return response
}
