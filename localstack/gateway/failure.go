package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// gatewayError is an error answer of the gateway itself. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html.
type gatewayError struct {
	responseType string
	// status is the response type's own; a gateway response may replace it.
	status int
	// exception is the X-Amzn-Errortype.
	exception string
	message   string
}

var (
	missingToken = gatewayError{"MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	// badQuery answers a query that cannot be decoded: https://github.com/ustayready/fireprox/issues/27.
	badQuery = gatewayError{"DEFAULT_4XX", 400, "BadRequestException", "Bad Request"}
	badBody  = gatewayError{"BAD_REQUEST_BODY", 400, "BadRequestException", "The request body cannot be read"}
	tooLong  = gatewayError{"REQUEST_TOO_LARGE", 413, "RequestTooLargeException", "Request Too Long"}
	timedOut = gatewayError{"INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out"}
	// internal answers for a function that failed or whose answer is malformed: a 502 without a response type of its
	// own.
	internal = gatewayError{"DEFAULT_5XX", 502, "InternalServerErrorException", "Internal server error"}
	// notInvoked answers for a function that Lambda did not run, such as a throttled one. AWS answers 500, not 429:
	// https://repost.aws/questions/QUfI6bsdd0SOiPeyimzxSkfQ.
	notInvoked = gatewayError{"INTEGRATION_FAILURE", 500, "InternalServerErrorException", "Internal server error"}
)

// writeTooLarge answers a request above the gateway's own limit. A server in front of API Gateway refuses it as text,
// without the API's gateway responses: https://github.com/reapit/foundations/issues/4338.
func writeTooLarge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	_, _ = fmt.Fprintf(w, "HTTP content length exceeded %d bytes.", maxBody) // fails if the client is gone
}

// writeTimedOut answers a request whose body does not arrive. A gateway response would not keep the status 408.
func writeTimedOut(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusRequestTimeout)
	_, _ = w.Write([]byte(`{"message":"Request Timeout"}`)) // fails if the client is gone
}

// response is a checked gateway response.
type response struct {
	spec.GatewayResponse
	// types are the content types of the bodies, sorted.
	types []string
}

// defaultBody is the body of responses without a template.
var defaultBody = map[string]string{"application/json": `{"message":$context.error.messageString}`}

// contextVariable is a variable in a body. Bodies are not VTL: they contain variables only.
var contextVariable = regexp.MustCompile(`\$(context|stageVariables|method|input|util)\b[a-zA-Z0-9_.]*`)

// compileResponses checks that every variable and mapping expression is known.
func compileResponses(all map[string]spec.GatewayResponse) (map[string]response, error) {
	compiled := map[string]response{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := response{GatewayResponse: all[name]}
		if len(r.Templates) == 0 {
			r.Templates = defaultBody
		}
		r.types = slices.Sorted(maps.Keys(r.Templates))
		for _, body := range r.Templates {
			for _, variable := range contextVariable.FindAllString(body, -1) {
				if variables[strings.TrimRight(variable, ".")] == nil {
					return nil, fmt.Errorf("gateway response %s: variable %s is not supported by the local stack; supported are %s",
						name, variable, strings.Join(slices.Sorted(maps.Keys(variables)), ", "))
				}
			}
		}
		for header, expression := range r.Headers {
			if !knownExpression(expression) {
				return nil, fmt.Errorf("gateway response %s: header %s is %s; supported by the local stack are a 'literal', "+
					"context.…, method.request.header.… and method.request.querystring.…", name, header, expression)
			}
		}
		compiled[name] = r
	}
	return compiled, nil
}

// variables are the $context variables of bodies and headers.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html.
var variables = map[string]func(*call, gatewayError) string{
	"$context.accountId":           func(c *call, _ gatewayError) string { return awsid.Account },
	"$context.apiId":               func(c *call, _ gatewayError) string { return c.g.api.ID },
	"$context.domainName":          func(c *call, _ gatewayError) string { return c.r.Host },
	"$context.error.message":       func(_ *call, e gatewayError) string { return e.message },
	"$context.error.messageString": func(_ *call, e gatewayError) string { return quote(e.message) },
	"$context.error.responseType":  func(_ *call, e gatewayError) string { return e.responseType },
	"$context.extendedRequestId":   func(c *call, _ gatewayError) string { return c.id.extended },
	"$context.httpMethod":          func(c *call, _ gatewayError) string { return c.r.Method },
	"$context.identity.sourceIp":   func(c *call, _ gatewayError) string { return c.sourceIP() },
	"$context.identity.userAgent":  func(c *call, _ gatewayError) string { return c.r.UserAgent() },
	"$context.path":                func(c *call, _ gatewayError) string { return c.stagePath() },
	"$context.protocol":            func(c *call, _ gatewayError) string { return c.r.Proto },
	"$context.requestId":           func(c *call, _ gatewayError) string { return c.id.request },
	"$context.requestTime":         func(c *call, _ gatewayError) string { return c.requestTime() },
	"$context.requestTimeEpoch":    func(c *call, _ gatewayError) string { return strconv.FormatInt(c.start.UnixMilli(), 10) },
	"$context.resourcePath":        func(c *call, _ gatewayError) string { return c.resourcePath() },
	"$context.stage":               func(c *call, _ gatewayError) string { return c.g.api.StageName },
	"$context.xrayTraceId":         func(c *call, _ gatewayError) string { return c.trace },
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string always can be
	return string(quoted)
}

// resourcePath returns the route's path, "" without a route.
func (c *call) resourcePath() string {
	if c.resource == nil {
		return ""
	}
	return c.resource.path
}

const (
	requestHeader = "method.request.header."
	requestQuery  = "method.request.querystring."
)

func knownExpression(expression string) bool {
	return isLiteral(expression) || variables["$"+expression] != nil ||
		strings.HasPrefix(expression, requestHeader) || strings.HasPrefix(expression, requestQuery)
}

func isLiteral(expression string) bool {
	return len(expression) >= 2 && strings.HasPrefix(expression, "'") && strings.HasSuffix(expression, "'")
}

// evaluate returns the value of a mapping expression.
func (c *call) evaluate(expression string, e gatewayError) string {
	if isLiteral(expression) {
		return expression[1 : len(expression)-1]
	}
	if name, ok := strings.CutPrefix(expression, requestHeader); ok {
		return c.r.Header.Get(name)
	}
	if name, ok := strings.CutPrefix(expression, requestQuery); ok {
		return c.r.URL.Query().Get(name)
	}
	return variables["$"+expression](c, e)
}

// responseFor returns the template's response for an error: that of its type, else the default of its class. A default
// without a status gets the type's.
func (g *gateway) responseFor(e gatewayError) response {
	fallback := "DEFAULT_4XX"
	if e.status >= 500 {
		fallback = "DEFAULT_5XX"
	}
	for _, name := range []string{e.responseType, fallback} {
		if found, ok := g.errors[name]; ok {
			return found
		}
	}
	return response{GatewayResponse: spec.GatewayResponse{Templates: defaultBody}, types: []string{"application/json"}}
}

// writeError writes the response for an error.
func (g *gateway) writeError(w http.ResponseWriter, c *call, e gatewayError) {
	r := g.responseFor(e)
	contentType := r.accepted(c.r.Header.Get("Accept"))
	body := contextVariable.ReplaceAllStringFunc(r.Templates[contentType], func(variable string) string {
		name := strings.TrimRight(variable, ".")
		return variables[name](c, e) + variable[len(name):]
	})
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Amzn-Errortype", e.exception)
	for name, expression := range r.Headers {
		if value := c.evaluate(expression, e); listen.ValidHeaderValue(value) {
			h.Set(name, value)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(cmp.Or(r.StatusCode, e.status))
	_, _ = w.Write([]byte(body)) // fails if the client is gone
}

// accepted chooses a body's content type: the first that the Accept header names, else application/json, else the first
// in the list.
func (r response) accepted(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); r.Templates[name] != "" {
			return name
		}
	}
	if slices.Contains(r.types, "application/json") {
		return "application/json"
	}
	return r.types[0]
}
