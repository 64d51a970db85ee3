package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// preflight answers a preflight request if the API has CORS, also if it has a route for it.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html.
func (g *gateway) preflight(w http.ResponseWriter, r *http.Request) bool {
	if g.api.CORS == nil || r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if g.allowOrigin(w.Header(), r.Header.Get("Origin")) {
		set := func(name string, values []string) {
			if len(values) > 0 {
				w.Header().Set(name, strings.Join(values, ","))
			}
		}
		set("Access-Control-Allow-Methods", g.api.CORS.AllowMethods)
		set("Access-Control-Allow-Headers", g.api.CORS.AllowHeaders)
		if g.api.CORS.MaxAge != nil {
			w.Header().Set("Access-Control-Max-Age", strconv.Itoa(*g.api.CORS.MaxAge))
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowOrigin sets the headers that every answer to an allowed origin has.
func (g *gateway) allowOrigin(h http.Header, origin string) bool {
	cors := g.api.CORS
	if cors == nil || origin == "" {
		return false
	}
	any := slices.Contains(cors.AllowOrigins, "*")
	if !any && !slices.ContainsFunc(cors.AllowOrigins, func(allowed string) bool { return matchesOrigin(allowed, origin) }) {
		return false
	}
	if any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if cors.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(cors.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(cors.ExposeHeaders, ","))
	}
	return true
}

// matchesOrigin compares an origin with an allowed one: the same, or https://* for all of a scheme.
func matchesOrigin(allowed, origin string) bool {
	scheme, all := strings.CutSuffix(allowed, "*")
	return strings.EqualFold(allowed, origin) || all && strings.HasPrefix(strings.ToLower(origin), strings.ToLower(scheme))
}
