package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
)

// healthPath is the only path that the proxy answers itself: 200 if LocalStack has a REST API. It calls no function.
const healthPath = "/_proxy/health"

// handler serves the API at the root.
func handler(a *api) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetXForwarded() },
		Transport: a,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				slog.Warn("request not forwarded", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			unavailable(w, err)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != healthPath {
			forward.ServeHTTP(w, r)
		} else if err := a.healthy(r.Context()); err != nil {
			unavailable(w, err)
		}
	})
}

// healthy looks the API up, even if its id is known.
func (a *api) healthy(ctx context.Context) error {
	_, err := find(ctx, a.endpoint)
	return err
}

// unavailable answers while LocalStack starts or is down.
func unavailable(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": "Service Unavailable", "status": http.StatusServiceUnavailable, "detail": err.Error(),
	})
}
