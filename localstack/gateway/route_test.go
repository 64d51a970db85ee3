package gateway

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	g := newGateway(t, spec.API{Routes: []spec.Route{
		{Method: "GET", Path: "/", Function: "root"},
		{Method: "GET", Path: "/item", Function: "list"},
		{Method: "HEAD", Path: "/item", Function: "head"},
		{Method: "GET", Path: "/item/{id}", Function: "one"},
		{Method: "DELETE", Path: "/item/{id}", Function: "delete"},
		{Method: "GET", Path: "/item/latest", Function: "latest"},
		{Method: "GET", Path: "/item/{id}/status", Function: "status"},
		{Method: "ANY", Path: "/any/{id}", Function: "any"},
		{Method: "POST", Path: "/any/{id}", Function: "post"},
		{Method: "ANY", Path: "/files/{proxy+}", Function: "files"},
		{Method: "GET", Path: "/files/{name}/meta", Function: "meta"},
	}}, seen, Options{})

	type params = map[string]string
	for _, test := range []struct {
		method, path, function, resource string
		params                           params
	}{
		{"GET", "/", "root", "/", nil},
		{"GET", "/item", "list", "/item", nil},
		{"GET", "/item/", "list", "/item", nil},
		{"HEAD", "/item", "head", "/item", nil},
		{"GET", "/item/7", "one", "/item/{id}", params{"id": "7"}},
		{"GET", "/item/a%2Fb%20c", "one", "/item/{id}", params{"id": "a%2Fb%20c"}},
		{"DELETE", "/item/7", "delete", "/item/{id}", params{"id": "7"}},
		{"GET", "/item/latest", "latest", "/item/latest", nil},
		{"DELETE", "/item/latest", "", "", nil}, // the path comes first, and has no DELETE
		{"GET", "/item/latest/status", "status", "/item/{id}/status", params{"id": "latest"}},
		{"PUT", "/any/1", "any", "/any/{id}", params{"id": "1"}},
		{"POST", "/any/1", "post", "/any/{id}", params{"id": "1"}},
		{"GET", "/files/a", "files", "/files/{proxy+}", params{"proxy": "a"}},
		{"GET", "/files/a/b%2Fc/", "files", "/files/{proxy+}", params{"proxy": "a/b%2Fc"}},
		{"GET", "/files/a/meta", "meta", "/files/{name}/meta", params{"name": "a"}},
		{"GET", "/files", "", "", nil},
		{"POST", "/item", "", "", nil},
		{"OPTIONS", "/item", "", "", nil},
		{"GET", "/v1/item", "", "", nil},
		{"GET", "//item", "", "", nil},
		{"GET", "/item//status", "", "", nil},
		{"GET", "/Item", "", "", nil},
		{"GET", "/item/7/status/x", "", "", nil},
	} {
		before := len(seen.seen)
		r := request(g, test.method, "http://localhost"+test.path)
		if test.function == "" {
			if r.StatusCode != 403 || len(seen.seen) != before {
				t.Errorf("%s %s: got %d; want 403 and no invocation", test.method, test.path, r.StatusCode)
			}
			continue
		}
		if r.StatusCode != 200 || seen.last().function != test.function {
			t.Errorf("%s %s: got %d from %s; want %s", test.method, test.path, r.StatusCode, seen.last().function, test.function)
			continue
		}
		var event events.APIGatewayProxyRequest
		if err := json.Unmarshal(seen.last().payload, &event); err != nil {
			t.Fatal(err)
		}
		if event.Resource != test.resource || event.Path != test.path || !maps.Equal(event.PathParameters, test.params) {
			t.Errorf("%s %s: event has %s %s %v", test.method, test.path, event.Resource, event.Path, event.PathParameters)
		}
	}
}

func TestRoutesThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, routes := range map[string][]spec.Route{
		"duplicate route GET /a": {{Method: "GET", Path: "/a"}, {Method: "GET", Path: "/a"}},
		"path parameters {id} and {name} are in the same place": {
			{Method: "GET", Path: "/a/{id}"}, {Method: "GET", Path: "/a/{name}/b"},
		},
		"paths /a and /a/ are the same": {{Method: "GET", Path: "/a"}, {Method: "PUT", Path: "/a/"}},
	} {
		_, err := New(spec.API{LogicalID: "Api", Routes: routes}, &recorder{}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v; want %s", err, want)
		}
	}
}
