// Package httpapi is an API Gateway HTTP API with Lambda proxy integrations: it routes requests, makes events of the payload
// formats 1.0 and 2.0, maps the functions' answers, and answers preflight requests and errors itself.
//
// It serves the stage at the root, as the stage $default does. Facts are from
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html if no other source is
// named.
package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

const (
	// maxBody is the maximum size of a request body in bytes.
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html.
	maxBody = 10 << 20
	// maxEvent is the maximum size of a Lambda event in bytes.
	maxEvent = 6 << 20
	// integrationTimeout is the default time for a function to answer.
	integrationTimeout = 30 * time.Second
)

// Options are the optional settings of New. The zero value is valid.
type Options struct {
	// Timeout is the time for a function to answer; default 30 s, as API Gateway's.
	Timeout time.Duration
	// Log gets the reason of each 5xx that the gateway answers itself; nil discards it.
	Log func(message string)
}

// New returns the API as a handler.
func New(api spec.HTTPAPI, invoker spec.Invoker, o Options) http.Handler {
	g := &gateway{api: api, invoker: invoker, log: o.Log, timeout: cmp.Or(o.Timeout, integrationTimeout), now: time.Now, newID: awsid.NewRequestID}
	if g.log == nil {
		g.log = func(string) {}
	}
	return g
}

type gateway struct {
	api     spec.HTTPAPI
	invoker spec.Invoker
	log     func(string)
	timeout time.Duration

	// Replaced by tests that compare events.
	now   func() time.Time
	newID func() string
}

// call is one request.
type call struct {
	g      *gateway
	r      *http.Request
	start  time.Time
	id     string
	route  spec.HTTPRoute
	params map[string]string
	trace  string
}

// ServeHTTP answers one request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{g: g, r: r, start: g.now(), id: g.newID()}
	w.Header().Set("Apigw-Requestid", c.id)
	if g.preflight(w, r) {
		return
	}
	g.allowOrigin(w.Header(), r.Header.Get("Origin"))
	var ok bool
	if c.route, c.params, ok = g.match(r.Method, r.URL.Path); !ok {
		writeError(w, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.Header().Set("Connection", "close")
		writeError(w, listen.BodyStatus(err))
		return
	}
	if c.trace = r.Header.Get("X-Amzn-Trace-Id"); !awsid.ValidTrace(c.trace) {
		c.trace = fmt.Sprintf("Root=1-%08x-%024x", c.start.Unix(), c.start.UnixNano())
	}
	event, err := c.event(body)
	switch {
	case err != nil:
		c.fail(w, http.StatusInternalServerError, err.Error())
	case len(event) > maxEvent:
		writeError(w, http.StatusRequestEntityTooLarge)
	default:
		c.invoke(w, event)
	}
}

// invoke runs the function and maps its answer. The invocation outlives the client.
func (c *call) invoke(w http.ResponseWriter, event []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), c.g.timeout)
	defer cancel()
	out, err := c.g.invoker.Invoke(ctx, c.route.Function, spec.Input{Payload: event, TraceID: c.trace})
	switch {
	case err != nil && ctx.Err() != nil:
		c.fail(w, http.StatusServiceUnavailable, "no answer within "+c.g.timeout.String())
	case errors.Is(err, spec.ErrThrottled):
		c.fail(w, http.StatusServiceUnavailable, err.Error())
	case err != nil:
		c.fail(w, http.StatusInternalServerError, err.Error())
	case out.FunctionError != "":
		c.fail(w, http.StatusInternalServerError, "function error "+out.FunctionError)
	default:
		if err := c.answer(w, out.Payload); err != nil {
			c.fail(w, http.StatusInternalServerError, "malformed Lambda proxy response: "+err.Error())
		}
	}
}

func (c *call) fail(w http.ResponseWriter, status int, why string) {
	c.g.log(fmt.Sprintf("%s %s: %s: %s", c.r.Method, c.r.URL.Path, c.route.Function, why))
	writeError(w, status)
}

// writeError answers with an error body of HTTP APIs: the text of the status.
func writeError(w http.ResponseWriter, status int) {
	text, _ := json.Marshal(map[string]string{"message": http.StatusText(status)}) // strings always can be
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // fails when the client has gone away
}
