package httpapi

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
)

// guard makes handlers safe behind aws-lambda-go-api-proxy. That writer fails a request that no handler answered, takes
// the last of several status codes rather than the first, and lets a panic end the process. guard holds the answer back
// until the handler has returned; Lambda sends no part of it earlier anyway.
func guard(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldResponse{header: http.Header{}}
		defer func() {
			if p := recover(); p != nil {
				log.ErrorContext(r.Context(), "handler panicked", "method", r.Method, "path", r.URL.Path,
					"panic", p, "stack", string(debug.Stack()))
				held = &heldResponse{header: http.Header{}}
			} else if held.status == 0 {
				log.ErrorContext(r.Context(), "handler wrote no status", "method", r.Method, "path", r.URL.Path)
			}
			if held.status == 0 {
				writeProblem(held, http.StatusInternalServerError, "the request failed; the log has the reason")
			}
			held.send(w, r)
		}()
		next.ServeHTTP(held, r)
	})
}

// heldResponse is an http.ResponseWriter that keeps the first status code and the body.
type heldResponse struct {
	header http.Header
	sent   http.Header // the headers at the time of the status; later changes have no effect, as in net/http
	status int
	body   bytes.Buffer
}

func (h *heldResponse) Header() http.Header { return h.header }

func (h *heldResponse) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
		h.sent = h.header.Clone()
	}
}

func (h *heldResponse) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(p)
}

// send writes the answer. An answer to HEAD has no body (RFC 9110, section 9.3.2).
func (h *heldResponse) send(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), h.sent)
	w.WriteHeader(h.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(h.body.Bytes())
	}
}
