package listen

import (
	"net/http"
	"runtime/debug"
)

// Answered returns a handler that answers every request with a status that next chose. If next writes none (net/http
// would send an empty 200) or panics first, the answer is 500 in the given shape, and log gets the reason; log may be
// nil. A panic after the status cuts the connection, so that the client does not take the answer for complete.
func Answered(shape Shape, log func(format string, args ...any), next http.Handler) http.Handler {
	if log == nil {
		log = func(string, ...any) {}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answeredWriter{ResponseWriter: w}
		defer func() {
			if reason := recover(); reason != nil {
				if reason != http.ErrAbortHandler { //nolint:errorlint // net/http compares like this too
					log("%s %s: handler panicked: %v\n%s", r.Method, r.URL.EscapedPath(), reason, debug.Stack())
				}
				if a.answered || reason == http.ErrAbortHandler { //nolint:errorlint // as above
					panic(http.ErrAbortHandler)
				}
			} else if !a.answered && r.Context().Err() == nil {
				log("%s %s: handler ended without a status", r.Method, r.URL.EscapedPath())
			}
			if !a.answered {
				shape.write(a, r, refusal{http.StatusInternalServerError, "InternalServerErrorException", "InternalFailure", "Internal server error"})
			}
		}()
		next.ServeHTTP(a, r)
	})
}

// answeredWriter records whether there is a status.
type answeredWriter struct {
	http.ResponseWriter
	answered bool
}

// Unwrap serves http.ResponseController.
func (w *answeredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *answeredWriter) WriteHeader(status int) {
	w.answered = w.answered || status >= 200 // lower ones are interim
	w.ResponseWriter.WriteHeader(status)
}

func (w *answeredWriter) Write(p []byte) (int, error) {
	w.answered = true
	return w.ResponseWriter.Write(p)
}

// FlushError serves http.ResponseController. Flushing sends the status.
func (w *answeredWriter) FlushError() error {
	w.answered = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}
