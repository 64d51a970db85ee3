package stack

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
)

// front is the handler of a port that is taken before what serves it has started. Until then it refuses every request at
// once: no client waits for the start, and nothing is done later that its client has given up on.
type front struct {
	refuse http.HandlerFunc
	behind atomic.Pointer[http.Handler]
}

// open passes all requests from now on.
func (f *front) open(h http.Handler) { f.behind.Store(&h) }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := f.behind.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	f.refuse(w, r)
}

// isStarting is what refused clients are told.
const isStarting = "The local stack is starting. Its output ends with the addresses when it is ready."

// startingAPI refuses requests to the REST API (RFC 9457).
func startingAPI(w http.ResponseWriter, _ *http.Request) {
	refuseStarting(w, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable,
		"detail": isStarting,
	})
}

// startingAWS refuses requests to the AWS endpoint in the form of JSON errors. SDKs try again after a 503.
func startingAWS(w http.ResponseWriter, _ *http.Request) {
	const kind = "ServiceUnavailable"
	w.Header().Set("X-Amzn-ErrorType", kind)
	refuseStarting(w, "application/json", map[string]any{"__type": kind, "message": isStarting})
}

func refuseStarting(w http.ResponseWriter, contentType string, body map[string]any) {
	text, _ := json.Marshal(body) // strings and numbers always encode
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(text) // fails when the client has gone away
}
