package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestPreflight(t *testing.T) {
	t.Parallel()
	api := testAPI(nil)
	api.Routes = append(api.Routes, spec.Route{Method: "OPTIONS", Path: "/own", Function: "Api"}, spec.Route{Method: "ANY", Path: "/any", Function: "Api"})
	api.CORS = &spec.CORS{AllowOrigin: "https://a.example", AllowHeaders: "X-A", AllowCredentials: true, MaxAge: "600"}
	seen := &recorder{}
	g := newGateway(t, api, seen, Options{})
	for path, methods := range map[string]string{"/item": "GET,OPTIONS,POST", "/item/1/status": "GET,OPTIONS", "/any": "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"} {
		r := request(g, "OPTIONS", path)
		for name, want := range map[string]string{
			"Origin": "https://a.example", "Methods": methods, "Headers": "X-A", "Credentials": "true",
		} {
			if got := r.Header.Get("Access-Control-Allow-" + name); got != want || r.StatusCode != 200 {
				t.Errorf("%s: %d, %s is %q; want %q", path, r.StatusCode, name, got, want)
			}
		}
		if r.Header.Get("Access-Control-Max-Age") != "600" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	if len(seen.seen) != 0 {
		t.Error("a function got a preflight request")
	}
	if request(g, "OPTIONS", "/own"); len(seen.seen) != 1 {
		t.Error("the function did not get OPTIONS of its own route")
	}
	if r := request(g, "OPTIONS", "/none"); r.StatusCode != 403 {
		t.Errorf("OPTIONS of no path: %d", r.StatusCode)
	}
	api.CORS.AllowMethods = "GET"
	if got := request(newGateway(t, api, seen, Options{}), "OPTIONS", "/item").Header.Get("Access-Control-Allow-Methods"); got != "GET" {
		t.Errorf("methods are %q", got)
	}
}

func TestBinaryMediaTypes(t *testing.T) {
	t.Parallel()
	const encoded = `{"statusCode":200,"isBase64Encoded":true,"body":"AP8="}`
	for _, test := range []struct {
		types            []string
		kind             string // of the request's body, and accepted
		binary           bool
		answer, received string
		status           int
	}{
		{nil, "image/png", false, encoded, "AP8=", 200},
		{[]string{"image/png"}, "image/png", true, encoded, "\x00\xff", 200},
		{[]string{"image/png"}, "text/plain", false, encoded, "AP8=", 200},
		{[]string{"image/png"}, "image/png;q=1, text/plain", true, encoded, "\x00\xff", 200},
		{[]string{"*/*"}, "text/plain", true, encoded, "\x00\xff", 200},
		{[]string{"*/*"}, "text/plain", true, `{"body":"plain"}`, "plain", 200},
		{[]string{"*/*"}, "text/plain", true, `{"isBase64Encoded":true,"body":"?"}`, `{"message":"Internal server error"}`, 502},
	} {
		api := testAPI(nil)
		api.BinaryMediaTypes = test.types
		seen := &recorder{}
		send := func(h http.Handler) *http.Response {
			r := httptest.NewRequest("POST", "/item", strings.NewReader("a"))
			r.Header.Set("Content-Type", test.kind)
			r.Header.Set("Accept", test.kind)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Result()
		}
		send(newGateway(t, api, seen, Options{}))
		var e event
		if err := json.Unmarshal(seen.last().payload, &e); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "YQ==", false: "a"}[test.binary]
		if e.IsBase64Encoded != test.binary || e.Body == nil || *e.Body != want {
			t.Errorf("%v: the event has %t %v", test, e.IsBase64Encoded, e.Body)
		}
		r := send(newGateway(t, api, answers(test.answer), Options{}))
		if got := body(t, r); got != test.received || r.StatusCode != test.status {
			t.Errorf("%v: got %d %q", test, r.StatusCode, got)
		}
	}
}
