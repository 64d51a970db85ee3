package lambda

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// serveNext waits for an invocation and hands it out.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	if !e.turn() {
		runtimeError(w, http.StatusForbidden, "InvalidStateTransition",
			"the invocation before has neither a response nor an error yet")
		return
	}
	var i *invocation
	select {
	case i = <-e.work:
	case <-e.gone:
		noEnvironment(w)
		return
	case <-r.Context().Done():
		noEnvironment(w)
		return
	}
	if r.Context().Err() != nil {
		e.work <- i // this request was given up; the invocation waits for another one
		noEnvironment(w)
		return
	}
	deadline, ok := e.take(i)
	if !ok {
		noEnvironment(w)
		return
	}
	h := w.Header()
	// The names are in canonical form, so they can be set without a search for it.
	h["Content-Type"] = contentJSON
	h["Lambda-Runtime-Aws-Request-Id"] = []string{i.id}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(deadline.UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{e.function.ARN}
	h["Lambda-Runtime-Trace-Id"] = []string{i.trace}
	if i.context != "" {
		h["Lambda-Runtime-Client-Context"] = []string{i.context}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(i.payload))}
	_, _ = w.Write(i.payload) // if this fails, the process is ending or runs into its timeout
}

// serveAnswer takes the response, or the error, of an invocation.
func (e *environment) serveAnswer(w http.ResponseWriter, r *http.Request, i *invocation, failed bool) {
	payload, size, err := readBody(r, maxAnswer)
	switch {
	case errors.Is(err, errTooLarge):
		e.takeAnswer(i, &answer{failed: true, payload: errorJSON(kindTooBig, fmt.Sprintf(
			"Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, maxAnswer))})
		runtimeError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxAnswer))
		return
	case err != nil: // the process was killed in the middle of it, which wait takes care of, or it wrote no HTTP
		runtimeError(w, listen.BodyStatus(err), "InvalidRequest", "the response cannot be read: "+err.Error())
		return
	}
	a := &answer{payload: payload, failed: failed}
	// A response that fails while it is sent ends with trailers that say so.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" && !failed {
		a.failed = true
		a.payload = trailerError(kind, r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
	}
	if !e.takeAnswer(i, a) {
		runtimeError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	accepted(w)
}

func trailerError(kind, body string) []byte {
	if text, err := base64.StdEncoding.DecodeString(body); err == nil && len(text) > 0 {
		return text
	}
	return errorJSON(kind, "the function failed while it sent its response")
}

// serveInitError takes the reason why a runtime cannot start; it is expected to exit then.
func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	payload, _, err := readBody(r, maxAnswer)
	if err != nil {
		runtimeError(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	a := &answer{payload: payload, failed: true, status: "error", kind: r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	if a.kind == "" {
		a.kind = "Runtime.Unknown"
	}
	e.function.mu.Lock()
	ok := e.phase == starting
	if ok {
		e.initError = a
	}
	e.function.mu.Unlock()
	if !ok {
		runtimeError(w, http.StatusForbidden, "InvalidStateTransition", "the init is over")
		return
	}
	accepted(w)
}

// errTooLarge is for bodies beyond a limit.
var errTooLarge = errors.New("body too large")

// readBody reads a request's body. When it is larger than limit, the error is errTooLarge and size how large it is, as
// far as that can be known at a bearable price.
func readBody(r *http.Request, limit int) (body []byte, size int, err error) {
	const bearable = 64 << 20
	length := int(r.ContentLength) // -1 if unknown
	if length > bearable {
		return nil, length, errTooLarge
	}
	// With one byte more than the length, the end is seen without another buffer.
	body = make([]byte, 0, min(max(length, 511), limit)+1)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > limit:
			rest, _ := io.Copy(io.Discard, io.LimitReader(r.Body, bearable)) // whatever is countable
			return nil, len(body) + int(rest), errTooLarge
		case err == io.EOF:
			return body, len(body), nil
		case err != nil:
			return nil, 0, err
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}
