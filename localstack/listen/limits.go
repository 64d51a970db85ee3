package listen

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Timeouts end connections whose client stalls. They do not limit the work of a handler, such as a long poll or a
// function of 15 minutes. Zero fields get the defaults.
type Timeouts struct {
	// ReadHeader is for a request's line and header; default 10 s.
	ReadHeader time.Duration
	// Read limits a request's body, from the end of its header; default 30 s. Then the handler's read fails, see
	// BodyStatus.
	Read time.Duration
	// Write is how long the client may take to receive one piece of an answer; default 30 s.
	Write time.Duration
	// Idle is for a connection between two requests; default 2 min.
	Idle time.Duration
}

// maxBody is the maximum size of a request's body on any port in bytes; handlers have smaller limits.
const maxBody = 64 << 20

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		ReadHeader: cmp.Or(t.ReadHeader, 10*time.Second),
		Read:       cmp.Or(t.Read, 30*time.Second),
		Write:      cmp.Or(t.Write, 30*time.Second),
		Idle:       cmp.Or(t.Idle, 2*time.Minute),
	}
}

// enforce applies Read and Write to every request. http.Server's own ReadTimeout and WriteTimeout include the handler's
// work: the first ends the context of a long poll, the second cuts off the answer of a long invocation.
func (t Timeouts) enforce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		// The server has set a deadline for its own refusals. Errors here and below mean that the connection is gone.
		_ = conn.SetWriteDeadline(time.Time{})
		if r.ContentLength != 0 {
			_ = conn.SetReadDeadline(time.Now().Add(t.Read))
			r.Body = &timedBody{ReadCloser: http.MaxBytesReader(w, r.Body, maxBody), conn: conn}
		}
		timed := &timedWriter{ResponseWriter: w, conn: conn, timeout: t.Write}
		next.ServeHTTP(timed, r)
		timed.extend() // the server now sends its buffer
	})
}

// timedBody removes the deadline at the body's end.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedWriter sets a deadline for each piece of the answer.
type timedWriter struct {
	http.ResponseWriter
	conn    *http.ResponseController
	timeout time.Duration
}

// Unwrap serves http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *timedWriter) WriteHeader(status int) {
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// FlushError serves http.ResponseController.
func (w *timedWriter) FlushError() error {
	w.extend()
	return w.conn.Flush()
}

func (w *timedWriter) extend() { _ = w.conn.SetWriteDeadline(time.Now().Add(w.timeout)) }

// BodyStatus returns the status for an error from reading a request's body: 408 for a time-out, 413 above the limit,
// else 400, since the body contradicts its header.
func BodyStatus(err error) int {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
