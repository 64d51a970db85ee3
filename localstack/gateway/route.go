package gateway

import (
	"fmt"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// resource is a node of the API's tree of paths.
//
// The most specific path wins: a literal segment before {param}, and that before {proxy+}. The path comes first and the
// method second: a method that the chosen path lacks is no route, even if {proxy+} has the method.
type resource struct {
	literals map[string]*resource
	param    *resource
	greedy   *resource

	id, path string
	// name is the name of the node's path parameter: id for {id}, proxy for {proxy+}.
	name    string
	methods map[string]string // functions by method; nil for an intermediate path, which is no route
}

// param is a path parameter of a request.
type param struct{ name, value string }

// add puts a route into the tree. It fails for a duplicate, and for a path that API Gateway cannot tell from another.
func (n *resource) add(route spec.Route, apiID string) error {
	for _, segment := range segments(route.Path) {
		child, err := n.child(segment)
		if err != nil {
			return fmt.Errorf("path %s: %w", route.Path, err)
		}
		n = child
	}
	if n.methods == nil {
		n.id, n.path, n.methods = awsid.ShortID(apiID+route.Path, 6), route.Path, map[string]string{}
	}
	if n.path != route.Path {
		return fmt.Errorf("paths %s and %s are the same to API Gateway", n.path, route.Path)
	}
	if _, twice := n.methods[route.Method]; twice {
		return fmt.Errorf("duplicate route %s %s", route.Method, route.Path)
	}
	n.methods[route.Method] = route.Function
	return nil
}

func (n *resource) child(segment string) (*resource, error) {
	name, isParam := strings.CutPrefix(segment, "{")
	if !isParam {
		if n.literals == nil {
			n.literals = map[string]*resource{}
		}
		if n.literals[segment] == nil {
			n.literals[segment] = &resource{}
		}
		return n.literals[segment], nil
	}
	slot := &n.param
	name = strings.TrimSuffix(name, "}")
	if greedy, is := strings.CutSuffix(name, "+"); is {
		slot, name = &n.greedy, greedy
	}
	if *slot == nil {
		*slot = &resource{name: name}
	}
	if (*slot).name != name {
		return nil, fmt.Errorf("path parameters {%s} and {%s} are in the same place", (*slot).name, name)
	}
	return *slot, nil
}

// segments splits a path without its first slash and a trailing one; the root has none. /item/ is the route /item,
// though the function sees the slash: https://github.com/aws-powertools/powertools-lambda-python/issues/1552.
func segments(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match finds the resource of a path. It compares segments percent-encoded, as the client sent them.
func (n *resource) match(path []string, params []param) (*resource, []param) {
	if len(path) == 0 {
		if n.methods == nil {
			return nil, nil
		}
		return n, params
	}
	if next := n.literals[path[0]]; next != nil {
		if found, all := next.match(path[1:], params); found != nil {
			return found, all
		}
	}
	if path[0] == "" { // a parameter is never empty
		return nil, nil
	}
	if n.param != nil {
		if found, all := n.param.match(path[1:], append(params, param{n.param.name, path[0]})); found != nil {
			return found, all
		}
	}
	if n.greedy != nil {
		return n.greedy, append(params, param{n.greedy.name, strings.Join(path, "/")})
	}
	return nil, nil
}

// route finds the function of a call, and reports whether there is one.
func (c *call) route(routes *resource) bool {
	c.resource, c.params = routes.match(segments(c.path), nil)
	if c.resource == nil {
		return false
	}
	var ok bool
	if c.function, ok = c.resource.methods[c.r.Method]; !ok {
		c.function, ok = c.resource.methods["ANY"]
	}
	return ok
}
