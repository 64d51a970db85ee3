// Package listen opens the local stack's HTTP ports on this machine's loopback address. Every port has the same guards:
//
//   - Until Serve, it answers 503 with Retry-After.
//   - It refuses requests for other host names and from web pages of other hosts (see guard.go).
//   - A request's header and body, and the connection between requests, have time-outs and limits (see limits.go).
//   - Every request gets a status, whatever its handler does (see answered.go).
package listen

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// Options say what to open. The zero value is a port that the system chooses, in the shape of API Gateway.
type Options struct {
	// Port is the TCP port on 127.0.0.1; 0 is any free one.
	Port int
	// Shape is the form of the port's own errors.
	Shape Shape
	// AllowHosts are host names that the port accepts besides this machine's.
	AllowHosts []string
	// Timeouts are the port's time-outs.
	Timeouts Timeouts
	// Log gets the errors of connections and handlers; nil drops them.
	Log func(format string, args ...any)
	// Failed gets the error if the port ends by itself; nil drops it.
	Failed func(error)
}

// Port is one open port.
type Port struct {
	listener net.Listener
	server   *http.Server
	handler  atomic.Pointer[http.Handler]
	refuse   http.Handler
}

// Open takes the port and serves it at once. Until Serve gives it a handler, it answers 503. Open fails if the port
// cannot be taken; the error does not name an option.
func Open(o Options) (*Port, error) {
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", o.Port))
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	p := &Port{listener: listener, refuse: o.Shape.starting()}
	timeouts := o.Timeouts.withDefaults()
	handler := Answered(o.Shape, o.Log, newGuard(o, listener.Addr()).check(http.HandlerFunc(p.dispatch)))
	p.server = &http.Server{
		Handler:           timeouts.enforce(handler),
		ReadHeaderTimeout: timeouts.ReadHeader,
		WriteTimeout:      timeouts.Write,
		IdleTimeout:       timeouts.Idle,
		MaxHeaderBytes:    o.Shape.maxHeader(),
		ErrorLog:          log.New(logWriter(o.Log), "", 0),
		// OPTIONS * passes the guards like every other request.
		DisableGeneralOptionsHandler: true,
	}
	go p.run(o.Failed)
	return p, nil
}

func (p *Port) run(failed func(error)) {
	err := p.server.Serve(p.listener)
	if !errors.Is(err, http.ErrServerClosed) && failed != nil {
		failed(fmt.Errorf("serve %s: %w", p.Addr(), err))
	}
}

// Serve passes all requests to h from now on.
func (p *Port) Serve(h http.Handler) { p.handler.Store(&h) }

func (p *Port) dispatch(w http.ResponseWriter, r *http.Request) {
	if h := p.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	p.refuse.ServeHTTP(w, r)
}

// Addr is the address that the port listens on.
func (p *Port) Addr() net.Addr { return p.listener.Addr() }

// URL is http://127.0.0.1:PORT.
func (p *Port) URL() string { return "http://" + p.Addr().String() }

// Close releases the port. Requests in progress have until ctx ends; then Close cuts their connections. A second Close
// does nothing.
func (p *Port) Close(ctx context.Context) error {
	if err := p.server.Shutdown(ctx); err == nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	if err := p.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close %s: %w", p.Addr(), err)
	}
	return nil
}

// logWriter passes net/http's own messages to a log.
type logWriter func(format string, args ...any)

func (log logWriter) Write(line []byte) (int, error) {
	log("%s", strings.TrimSpace(string(line)))
	return len(line), nil
}
