package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func problem(status int, title string) spec.GatewayResponse {
	return spec.GatewayResponse{
		StatusCode: status, Headers: map[string]string{"Content-Type": "'application/problem+json'"},
		Templates: map[string]string{"application/json": `{"title":"` + title + `","detail":$context.error.messageString}`},
	}
}

func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	ok := answers(`{}`)
	throttled := invokerFunc(func(context.Context, invocation) ([]byte, string, error) { return nil, "", errors.New("Rate Exceeded") })
	for name, test := range map[string]struct {
		responses map[string]spec.GatewayResponse
		invoker   spec.Invoker
		path      string
		accept    string
		status    int
		mediaType string
		body      string
	}{
		"none": {nil, ok, "/x", "", 403, "application/json", `{"message":"Missing Authentication Token"}`},
		"of the type": {
			map[string]spec.GatewayResponse{
				"MISSING_AUTHENTICATION_TOKEN": problem(404, "Not Found"), "DEFAULT_4XX": problem(400, "Bad Request"),
			}, ok, "/x", "", 404, "application/problem+json", `{"title":"Not Found","detail":"Missing Authentication Token"}`,
		},
		"of the class": {
			map[string]spec.GatewayResponse{"DEFAULT_4XX": problem(0, "No"), "DEFAULT_5XX": problem(502, "Bad Gateway")},
			ok, "/x", "", 403, "application/problem+json", `{"title":"No","detail":"Missing Authentication Token"}`,
		},
		"of the class, with status": {
			map[string]spec.GatewayResponse{"DEFAULT_5XX": problem(503, "Busy")}, throttled, "/item", "",
			503, "application/problem+json", `{"title":"Busy","detail":"Internal server error"}`,
		},
		"function failed": {
			map[string]spec.GatewayResponse{"DEFAULT_5XX": problem(502, "Bad Gateway")}, answers(`x`), "/item", "",
			502, "application/problem+json", `{"title":"Bad Gateway","detail":"Internal server error"}`,
		},
		"not run": {
			map[string]spec.GatewayResponse{"INTEGRATION_FAILURE": problem(504, "Late")}, throttled, "/item", "",
			504, "application/problem+json", `{"title":"Late","detail":"Internal server error"}`,
		},
		"status only": {
			map[string]spec.GatewayResponse{"MISSING_AUTHENTICATION_TOKEN": {StatusCode: 404}}, ok, "/x", "",
			404, "application/json", `{"message":"Missing Authentication Token"}`,
		},
		"variables": {
			map[string]spec.GatewayResponse{"DEFAULT_4XX": {Templates: map[string]string{
				"application/json": "$context.error.responseType $context.stage$context.path $context.requestId, costs $5. $context.error.message.",
			}}}, ok, "/x?y", "", 403, "application/json",
			"MISSING_AUTHENTICATION_TOKEN v1" + "/v1/x" + " 3b1f7c2e-7a55-4b8e-9f55-0d2c3f6f8a01, costs $5. Missing Authentication Token.",
		},
		"accepted type": {
			map[string]spec.GatewayResponse{"DEFAULT_4XX": {Templates: map[string]string{
				"application/json": "{}", "text/html": "<p>", "application/xml": "<x/>",
			}}}, ok, "/x", "text/plain, text/html;q=0.9, */*", 403, "text/html", "<p>",
		},
		"no accepted type": {
			map[string]spec.GatewayResponse{"DEFAULT_4XX": {Templates: map[string]string{"text/html": "<p>", "application/xml": "<x/>"}}},
			ok, "/x", "image/png", 403, "application/xml", "<x/>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, testAPI(test.responses), test.invoker, Options{})
			g.newID = fixedID
			r := request(g, "GET", test.path, "Accept", test.accept)
			got := body(t, r)
			if r.StatusCode != test.status || got != test.body || r.Header.Get("Content-Type") != test.mediaType {
				t.Errorf("got %d %s %s; want %d %s %s", r.StatusCode, r.Header.Get("Content-Type"), got, test.status, test.mediaType, test.body)
			}
		})
	}
}

func TestGatewayResponseHeaders(t *testing.T) {
	t.Parallel()
	g := newGateway(t, testAPI(map[string]spec.GatewayResponse{"DEFAULT_4XX": {Headers: map[string]string{
		"X-Literal": "'a'", "X-Context": "context.error.responseType", "X-Header": "method.request.header.X-Given",
		"X-Query": "method.request.querystring.q",
	}}}), answers(`{}`), Options{})
	if got := request(g, "GET", "/x?q=a%01b", "X-Given", "1").Header.Values("X-Query"); got != nil {
		t.Errorf("a header is %q; want none that HTTP cannot carry", got)
	}
	r := request(g, "GET", "/x?q=2", "X-Given", "1")
	for name, want := range map[string]string{
		"X-Literal": "a", "X-Context": "MISSING_AUTHENTICATION_TOKEN", "X-Header": "1", "X-Query": "2",
		"X-Amzn-Errortype": "MissingAuthenticationTokenException",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("header %s is %q; want %q", name, got, want)
		}
	}
}

func TestGatewayResponsesThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, response := range map[string]spec.GatewayResponse{
		"variable $context.authorizer.claims is not supported": {Templates: map[string]string{"text/plain": "$context.authorizer.claims"}},
		"variable $stageVariables.x is not supported":          {Templates: map[string]string{"text/plain": "$stageVariables.x"}},
		"header X is a literal":                                {Headers: map[string]string{"X": "a literal"}},
	} {
		_, err := New(testAPI(map[string]spec.GatewayResponse{"DEFAULT_4XX": response}), answers(`{}`), Options{})
		if err == nil || !strings.Contains(err.Error(), "gateway response DEFAULT_4XX: "+want) {
			t.Errorf("got error %v; want %s", err, want)
		}
	}
}
