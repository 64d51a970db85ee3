package httpapi

import (
	"strings"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// match finds the route of a request: the most specific path that has the method. A path with the method goes before one with
// ANY, a literal segment before {param}, {param} before {proxy+}, and $default is last.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html.
func (g *gateway) match(method, path string) (found spec.HTTPRoute, params map[string]string, ok bool) {
	best := ""
	for _, route := range g.api.Routes {
		rank, values, fits := fit(route, method, path)
		if fits && (!ok || rank > best) {
			found, params, best, ok = route, values, rank, true
		}
	}
	return found, params, ok
}

// fit says whether a route takes a request. Of two ranks, the greater one is more specific.
func fit(route spec.HTTPRoute, method, path string) (rank string, params map[string]string, ok bool) {
	if route.Path == "" {
		return "", nil, true
	}
	if route.Method != "ANY" && route.Method != method {
		return "", nil, false
	}
	want, have := strings.Split(route.Path, "/"), strings.Split(path, "/")
	params = map[string]string{}
	for i, segment := range want {
		name, isParam := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		greedy, isGreedy := strings.CutSuffix(name, "+")
		switch {
		case i >= len(have):
			return "", nil, false
		case isParam && isGreedy:
			params[greedy] = strings.Join(have[i:], "/")
			return rank + "1" + methodRank(route), params, params[greedy] != ""
		case isParam && have[i] != "":
			params[name] = have[i]
			rank += "2"
		case segment == have[i] && !isParam:
			rank += "3"
		default:
			return "", nil, false
		}
	}
	return rank + methodRank(route), params, len(want) == len(have)
}

func methodRank(route spec.HTTPRoute) string {
	if route.Method == "ANY" {
		return "0"
	}
	return "1"
}
