package listen

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Timeouts end connections whose client stalls. They do not limit how long a handler works: a long poll or a function of
// 15 minutes is answered. 0 is the default.
type Timeouts struct {
	// ReadHeader is for a request's line and header; default 10 s.
	ReadHeader time.Duration
	// Read is for a request's body, from the end of its header; default 30 s. The handler's read fails then, see
	// BodyStatus.
	Read time.Duration
	// Write is how long the client may take to receive one piece of an answer; default 30 s.
	Write time.Duration
	// Idle is for a connection between two requests; default 2 min.
	Idle time.Duration
}

// maxBody is the most bytes of a request's body on any port; handlers have smaller limits of their own.
const maxBody = 64 << 20

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		ReadHeader: cmp.Or(t.ReadHeader, 10*time.Second),
		Read:       cmp.Or(t.Read, 30*time.Second),
		Write:      cmp.Or(t.Write, 30*time.Second),
		Idle:       cmp.Or(t.Idle, 2*time.Minute),
	}
}

// enforce applies Read and Write to every request. http.Server's own ReadTimeout and WriteTimeout count the handler's
// work as well: the first ends the context of a long poll, the second cuts the answer of a long invocation.
func (t Timeouts) enforce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		// The server has set a deadline for its own refusals. The errors here and below are a connection that is gone.
		_ = conn.SetWriteDeadline(time.Time{})
		if r.ContentLength != 0 {
			_ = conn.SetReadDeadline(time.Now().Add(t.Read))
			r.Body = &timedBody{ReadCloser: http.MaxBytesReader(w, r.Body, maxBody), conn: conn}
		}
		timed := &timedWriter{ResponseWriter: w, conn: conn, timeout: t.Write}
		next.ServeHTTP(timed, r)
		timed.extend() // the server sends now what it has buffered
	})
}

// timedBody takes the deadline back at the body's end.
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

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *timedWriter) WriteHeader(status int) {
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// FlushError is called by http.ResponseController.
func (w *timedWriter) FlushError() error {
	w.extend()
	return w.conn.Flush()
}

func (w *timedWriter) extend() { _ = w.conn.SetWriteDeadline(time.Now().Add(w.timeout)) }

// BodyStatus is the status for an error from reading a request's body: 408 for the time-out, 413 above the limit, else
// 400, since the body is not what its header says.
func BodyStatus(err error) int {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
