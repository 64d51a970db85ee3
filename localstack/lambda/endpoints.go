package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// serveNext serves GET /invocation/next: it waits for an invocation.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	if !e.turn() {
		runtimeError(w, http.StatusForbidden, "InvalidStateTransition",
			"the previous invocation has neither a response nor an error yet")
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
		e.work <- i // the client dropped this request; the invocation waits for the next one
		noEnvironment(w)
		return
	}
	deadline, ok := e.take(i)
	if !ok {
		noEnvironment(w)
		return
	}
	h := w.Header()
	// The names are in canonical form, so Set, which would canonicalize them, is not needed.
	h["Content-Type"] = contentJSON
	h["Lambda-Runtime-Aws-Request-Id"] = []string{i.id}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(deadline.UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{e.function.ARN}
	h["Lambda-Runtime-Trace-Id"] = []string{i.trace}
	if i.context != "" {
		h["Lambda-Runtime-Client-Context"] = []string{i.context}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(i.payload))}
	_, _ = w.Write(i.payload) // if this fails, the process ends or runs into its timeout
}

// serveAnswer serves POST /invocation/ID/response and /error.
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
	// A function that fails while it sends its response says so in trailers.
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

// serveInitError serves POST /init/error: the reason for which a runtime cannot start. The runtime then exits.
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

// errTooLarge reports a body beyond the limit.
var errTooLarge = errors.New("body too large")

// readBody reads the body of a request. If it is larger than limit, the error is errTooLarge, and size is the size of the
// body, or a lower bound if the body is huge.
func readBody(r *http.Request, limit int) (body []byte, size int, err error) {
	const bearable = 64 << 20
	length := int(r.ContentLength) // -1 if unknown
	if length > bearable {
		return nil, length, errTooLarge
	}
	// One byte more than the length lets Read report the end without a larger buffer.
	body = make([]byte, 0, min(max(length, 511), limit)+1)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > limit:
			rest, _ := io.Copy(io.Discard, io.LimitReader(r.Body, bearable)) // count the rest
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

// serveRegister registers an internal extension. Functions register one to get SIGTERM before their end; Lambda sends it to
// no others: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html. It refuses extensions that want
// events, which would wait for ever.
func (e *environment) serveRegister(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Events []string `json:"events"`
	}
	body, _, err := readBody(r, 64<<10)
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	switch {
	case err != nil:
		runtimeError(w, http.StatusBadRequest, "InvalidRequest", "register an extension: "+err.Error())
		return
	case r.Header.Get("Lambda-Extension-Name") == "":
		runtimeError(w, http.StatusForbidden, "Extension.InvalidExtensionName", "the extension has no name")
		return
	case len(request.Events) > 0:
		runtimeError(w, http.StatusForbidden, "ShutdownEventNotSupportedForInternalExtension",
			"extension events are not emulated: register an extension without events")
		return
	}
	f := e.function
	f.mu.Lock()
	late := e.phase != starting
	if !late {
		e.extension = true
	}
	f.mu.Unlock()
	if late {
		runtimeError(w, http.StatusForbidden, "Extension.RegistrationClosed", "extensions must register during the init")
		return
	}
	answer, _ := json.Marshal(map[string]string{ // strings always encode
		"functionName": f.Name, "functionVersion": version, "handler": f.Handler,
	})
	w.Header()["Content-Type"] = contentJSON
	w.Header().Set("Lambda-Extension-Identifier", e.id)
	_, _ = w.Write(answer)
}

// serveExtensionNext waits until the environment ends, as no event is sent.
func (e *environment) serveExtensionNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-e.gone:
	case <-r.Context().Done():
	}
	noEnvironment(w)
}
