package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// preflight answers OPTIONS on a path without such a route, as the mock integration that SAM adds for Cors does. It reports
// whether it has answered.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html.
func (g *gateway) preflight(w http.ResponseWriter, c *call) bool {
	cors := g.api.CORS
	if cors == nil || c.r.Method != http.MethodOptions || c.resource == nil || c.resource.methods[http.MethodOptions] != "" {
		return false
	}
	h := w.Header()
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	methods := cors.AllowMethods
	if methods == "" {
		methods = c.resource.allowed()
	}
	set("Access-Control-Allow-Origin", cors.AllowOrigin)
	set("Access-Control-Allow-Methods", methods)
	set("Access-Control-Allow-Headers", cors.AllowHeaders)
	set("Access-Control-Max-Age", cors.MaxAge)
	if cors.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte("{}\n")) // fails when the client has gone away
	return true
}

// allowed lists the methods of a path, with OPTIONS, for Access-Control-Allow-Methods.
func (n *resource) allowed() string {
	methods := append(slices.Collect(maps.Keys(n.methods)), http.MethodOptions)
	if n.methods["ANY"] != "" {
		methods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	}
	slices.Sort(methods)
	return strings.Join(methods, ",")
}
