package gateway

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// FuzzRequest checks that every HTTP request gets an answer, and that aws-lambda-go decodes every event.
func FuzzRequest(f *testing.F) {
	const head = " HTTP/1.1\r\nHost: localhost:8080\r\n"
	f.Add("POST /item" + head + "Content-Length: 2\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n{}")
	f.Add("GET /item/a%2Fb%20c/status?limit=1&limit=2&x=%zz;y" + head + "Accept: text/html;q=0.9\r\nAccept: */*\r\n\r\n")
	f.Add("POST /item/" + head + "Transfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n")
	f.Add("POST /item" + head + "Content-Length: 10\r\n\r\nhi")
	f.Add("OPTIONS *" + head + "\r\n")
	f.Add("GET http://[::1]/any/%00?" + head + "X-Amzn-Trace-Id: Root=1-a-b;Sampled=1\r\n\r\n")
	api := testAPI(map[string]spec.GatewayResponse{
		"DEFAULT_4XX": {Headers: map[string]string{"X-Q": "method.request.querystring.q", "X-H": "method.request.header.Accept"},
			Templates: map[string]string{"application/json": `{"p":"$context.path","m":$context.error.messageString}`}},
	})
	api.Routes = append(api.Routes, spec.Route{Method: "ANY", Path: "/any/{proxy+}", Function: "Any"})
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return // net/http refuses it before the gateway
		}
		r.RemoteAddr = "127.0.0.1:50000"
		seen := &recorder{}
		w := httptest.NewRecorder()
		listen.Answered(listen.REST, func(format string, _ ...any) { t.Errorf("%q: "+format, raw) }, newGateway(t, api, seen, Options{})).ServeHTTP(w, r)
		checkHeaders(t, w.Header())
		if len(seen.seen) == 0 {
			if w.Code < 400 {
				t.Errorf("%q: %d without an invocation", raw, w.Code)
			}
			return
		}
		var event events.APIGatewayProxyRequest
		if err := json.Unmarshal(seen.last().payload, &event); err != nil {
			t.Errorf("%q: event %s: %v", raw, seen.last().payload, err)
		}
		if event.HTTPMethod != r.Method || event.Resource == "" || w.Code != 200 {
			t.Errorf("%q: %d, event %+v", raw, w.Code, event)
		}
	})
}

// FuzzAnswer checks that every answer of a function becomes a response that HTTP can carry, or a 502.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"statusCode":201,"headers":{"Location":"/x","X-A":true},"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"hé","isBase64Encoded":false}`)
	f.Add(`{"statusCode":"404","headers":{"Content-Length":"9","Date":"now"},"body":null}`)
	f.Add(`{"headers":{"X-A":"a\u0001\r\nX-B: c","":"x"}}`)
	f.Add(`{"statusCode":599,"multiValueHeaders":{"X\u0000":[true,null]}} {}`)
	f.Fuzz(func(t *testing.T, payload string) {
		w := httptest.NewRecorder()
		g := newGateway(t, testAPI(nil), answers(payload), Options{})
		listen.Answered(listen.REST, func(format string, _ ...any) { t.Errorf("%q: "+format, payload) }, g).ServeHTTP(w, httptest.NewRequest("GET", "/item", nil))
		checkHeaders(t, w.Header())
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("%q: %d", payload, w.Code)
		}
		if !json.Valid([]byte(payload)) && w.Code != 502 {
			t.Errorf("%q: %d; want 502", payload, w.Code)
		}
	})
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	for name, values := range h {
		for _, value := range values {
			if !listen.ValidHeaderName(name) || !listen.ValidHeaderValue(value) {
				t.Errorf("header %q: %q", name, value)
			}
		}
	}
}
