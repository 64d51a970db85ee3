package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// function is an Invoker with one answer. It keeps the last event.
type function struct {
	answer, functionError string
	err                   error
	event                 []byte
	name                  string
}

func (f *function) Invoke(ctx context.Context, name string, in spec.Input) (*spec.Output, error) {
	f.event, f.name = in.Payload, name
	if f.answer == "never" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if f.err != nil {
		return nil, f.err
	}
	return &spec.Output{Payload: []byte(f.answer), FunctionError: f.functionError}, nil
}

func route(method, path, function string) spec.HTTPRoute {
	return spec.HTTPRoute{Route: spec.Route{Method: method, Path: path, Function: function}, PayloadFormat: "2.0"}
}

func setup(t *testing.T, f *function, routes ...spec.HTTPRoute) *gateway {
	t.Helper()
	if routes == nil {
		routes = []spec.HTTPRoute{route("POST", "/a/{id}", "F")}
	}
	g := New(spec.HTTPAPI{LogicalID: "Api", ID: "abcdefghij", StageName: "$default", Routes: routes}, f, Options{Timeout: 50 * time.Millisecond}).(*gateway)
	g.now = func() time.Time { return time.Unix(1700000000, 0) }
	g.newID = func() string { return "id" }
	return g
}

func send(g *gateway, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// TestEvents compares events of both formats with files.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"1.0", "2.0"} {
		f := &function{answer: `{"statusCode":200}`}
		one := route("POST", "/a/{id}", "F")
		one.PayloadFormat = format
		send(setup(t, f, one), "POST", "/a/b%20c?x=1&x=2&y=%2F", "a=b", "Content-Type", "application/x-www-form-urlencoded",
			"Cookie", "a=1; b=2", "X-Two", "1", "X-Two", "2", "X-Amzn-Trace-Id", "Root=1-65000000-aaaaaaaaaaaaaaaaaaaaaaaa")
		var got bytes.Buffer
		if err := json.Indent(&got, f.event, "", "  "); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "event-"+format+".json")
		want, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(want)) != got.String() {
			t.Errorf("%s differs (%v); got\n%s", path, err, got.String())
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	f := &function{answer: `{"statusCode":200}`}
	g := setup(t, f, route("", "", "default"), route("GET", "/a/{id}", "param"), route("GET", "/a/b", "literal"), route("ANY", "/a/b", "any"),
		route("ANY", "/a/{all+}", "greedy"), route("GET", "/", "root"))
	for request, want := range map[string]string{
		"GET /a/b": "literal", "PUT /a/b": "any", "GET /a/c": "param", "PUT /a/c": "greedy", "GET /a/c/d": "greedy", "GET /a/c/": "greedy",
		"GET /": "root", "PUT /": "default", "GET /x": "default", "GET /a/": "default",
	} {
		method, path, _ := strings.Cut(request, " ")
		if w := send(g, method, path, ""); w.Code != 200 || f.name != want {
			t.Errorf("%s: %d, function %s; want %s", request, w.Code, f.name, want)
		}
	}
	if w := send(setup(t, f), "GET", "/x", ""); w.Code != 404 || w.Body.String() != `{"message":"Not Found"}` {
		t.Errorf("no route: %d %s", w.Code, w.Body)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ format, answer, want string }{
		{"2.0", `{"statusCode":201,"headers":{"X-A":"b","content-type":"a/b"},"cookies":["a=1","b=2"],"body":"x"}`, "201 a/b [a=1 b=2] x"},
		{"2.0", `{"statusCode":"200","isBase64Encoded":true,"body":"AP8="}`, "200 text/plain; charset=utf-8 [] \x00\xff"},
		{"2.0", `{"a":1}`, `200 application/json [] {"a":1}`},
		{"2.0", `"text"`, "200 application/json [] text"},
		{"2.0", `[1]`, "200 application/json [] [1]"},
		{"2.0", `{"statusCode":99}`, `500 application/json [] {"message":"Internal Server Error"}`},
		{"2.0", `{"statusCode":200,"headers":{"a b":"c"}}`, `500 application/json [] {"message":"Internal Server Error"}`},
		{"2.0", `{"statusCode":200,"body":{}}`, `500 application/json [] {"message":"Internal Server Error"}`},
		{"1.0", `{"a":1}`, `500 application/json [] {"message":"Internal Server Error"}`},
		{"1.0", `{"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"x"}`, "200 text/plain; charset=utf-8 [a=1 b=2] x"},
	} {
		one := route("POST", "/a/{id}", "F")
		one.PayloadFormat = test.format
		w := send(setup(t, &function{answer: test.answer}, one), "POST", "/a/1", "")
		got := fmt.Sprintf("%d %s %s %s", w.Code, w.Header().Get("Content-Type"), w.Header().Values("Set-Cookie"), w.Body)
		if got != test.want || w.Header().Get("Apigw-Requestid") != "id" {
			t.Errorf("%s %s: got %q; want %q", test.format, test.answer, got, test.want)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]*function{
		`503 {"message":"Service Unavailable"}`:    {answer: "never"},
		`503 {"message":"Service Unavailable"} `:   {err: spec.ErrThrottled},
		`500 {"message":"Internal Server Error"}`:  {err: errors.New("x")},
		`500 {"message":"Internal Server Error"} `: {functionError: "Unhandled"},
	} {
		w := send(setup(t, f), "POST", "/a/1", "")
		if got := fmt.Sprintf("%d %s", w.Code, w.Body); got != strings.TrimSpace(want) {
			t.Errorf("%+v: got %s; want %s", f, got, want)
		}
	}
	if w := send(setup(t, &function{}), "POST", "/a/1", strings.Repeat("x", maxBody+1)); w.Code != 413 {
		t.Errorf("a large body: %d", w.Code)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	age := 60
	g := setup(t, &function{answer: `{"statusCode":200,"headers":{"access-control-allow-origin":"own"}}`})
	g.api.CORS = &spec.HTTPCORS{AllowOrigins: []string{"https://a.example"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"}, MaxAge: &age}
	w := send(g, "OPTIONS", "/none", "", "Origin", "https://a.example", "Access-Control-Request-Method", "POST")
	h := w.Header()
	if w.Code != 204 || h.Get("Access-Control-Allow-Origin") != "https://a.example" || h.Get("Access-Control-Allow-Methods") != "GET,POST" ||
		h.Get("Access-Control-Allow-Headers") != "x-a" || h.Get("Access-Control-Max-Age") != "60" {
		t.Errorf("preflight: %d %v", w.Code, h)
	}
	w = send(g, "OPTIONS", "/a/1", "", "Origin", "https://b.example", "Access-Control-Request-Method", "POST")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign preflight: %d %v", w.Code, w.Header())
	}
	w = send(g, "POST", "/a/1", "", "Origin", "https://a.example")
	if got := w.Header().Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "https://a.example" || w.Header().Get("Access-Control-Expose-Headers") != "x-b" {
		t.Errorf("an answer has %v", w.Header())
	}
}
