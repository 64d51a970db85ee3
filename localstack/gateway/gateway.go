// Package gateway is an API Gateway REST API with Lambda proxy integrations. It routes requests, makes the functions'
// events and maps their answers. It answers errors itself, by the template's gateway responses.
//
// It serves the stage at the root, as a custom domain name does: /item, not /v1/item. Unless a comment names another
// source, facts are from
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html.
package gateway

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

const (
	// maxBody is the largest request body in bytes.
	// See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html.
	maxBody = 10 << 20
	// maxEvent is the largest event in bytes that Lambda accepts. See
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
	maxEvent = 6 << 20
	// integrationTimeout is how long a function may take to answer.
	integrationTimeout = 29 * time.Second
)

// Options configure New. The zero value has the defaults.
type Options struct {
	// Timeout is how long a function may take to answer; default 29 s, API Gateway's own.
	Timeout time.Duration
	// Log gets the reason of each 5xx of the gateway itself, as an API's execution log would. nil drops the reasons.
	Log func(message string)
}

// New returns the API as a handler. It fails if a route or gateway response is not supported; the error names it.
func New(api spec.API, invoker spec.Invoker, o Options) (http.Handler, error) {
	g := &gateway{
		api: api, invoker: invoker, log: o.Log, timeout: cmp.Or(o.Timeout, integrationTimeout),
		now: time.Now, newID: newID, routes: &resource{},
	}
	if g.log == nil {
		g.log = func(string) {}
	}
	for _, route := range api.Routes {
		if err := g.routes.add(route, api.ID); err != nil {
			return nil, fmt.Errorf("API %s: %w", api.LogicalID, err)
		}
	}
	var err error
	if g.errors, err = compileResponses(api.GatewayResponses); err != nil {
		return nil, fmt.Errorf("API %s: %w", api.LogicalID, err)
	}
	return g, nil
}

type gateway struct {
	api     spec.API
	invoker spec.Invoker
	log     func(string)
	timeout time.Duration
	routes  *resource
	errors  map[string]response

	// Tests that compare events replace these.
	now   func() time.Time
	newID func() requestID
}

// ServeHTTP answers one request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.newCall(r)
	h := w.Header()
	h.Set("X-Amzn-Requestid", c.id.request)
	h.Set("X-Amz-Apigw-Id", c.id.extended)
	found := c.route(g.routes)
	if g.preflight(w, c) {
		return
	}
	if !found {
		g.fail(w, c, missingToken, "")
		return
	}
	var err error
	if c.query, err = query(r.URL.RawQuery); err != nil {
		e := badQuery
		e.message += ": the query has an " + err.Error()
		g.fail(w, c, e, "")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		g.refuseBody(w, c, err)
		return
	}
	h.Set("X-Amzn-Trace-Id", c.trace)
	event, err := c.event(body)
	if err != nil {
		g.fail(w, c, internal, err.Error())
		return
	}
	if len(event) > maxEvent {
		g.fail(w, c, tooLong, "")
		return
	}
	g.invoke(w, c, event)
}

// refuseBody answers a request whose body cannot be read. It ends the connection, since the start of the next request
// is unknown.
func (g *gateway) refuseBody(w http.ResponseWriter, c *call, err error) {
	w.Header().Set("Connection", "close")
	switch listen.BodyStatus(err) {
	case http.StatusRequestEntityTooLarge:
		writeTooLarge(w)
	case http.StatusRequestTimeout:
		writeTimedOut(w)
	default:
		e := badBody
		e.message += ": " + err.Error()
		g.fail(w, c, e, "")
	}
}

// invoke runs the function and maps its answer. The invocation outlives the client; the function is not told.
func (g *gateway) invoke(w http.ResponseWriter, c *call, event []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), g.timeout)
	defer cancel()
	out, err := g.invoker.Invoke(ctx, c.function, spec.Input{Payload: event, TraceID: c.trace})
	switch {
	case err != nil && ctx.Err() != nil:
		g.fail(w, c, timedOut, "no answer within "+g.timeout.String())
	case err != nil:
		g.fail(w, c, notInvoked, err.Error())
	case out.FunctionError != "":
		g.fail(w, c, internal, "function error "+out.FunctionError)
	default:
		if err := writeAnswer(w, out.Payload, g.isBinary(c.r.Header.Get("Accept"))); err != nil {
			g.fail(w, c, internal, "malformed Lambda proxy response: "+err.Error())
		}
	}
}

// fail answers with an error of the gateway itself; why goes to the log only.
func (g *gateway) fail(w http.ResponseWriter, c *call, e gatewayError, why string) {
	if why != "" {
		g.log(fmt.Sprintf("%s %s: %s: %s", c.r.Method, c.path, c.function, why))
	}
	g.writeError(w, c, e)
}
