package lambda

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// runtimeAPI is one HTTP server for all environments. The first element of the path tells them apart: the variable
// AWS_LAMBDA_RUNTIME_API of an environment is HOST:PORT/ID, to which runtimes append /2018-06-01/runtime/….
type runtimeAPI struct {
	address      string
	server       *http.Server
	environments sync.Map // id → *environment
	serving      sync.WaitGroup
}

func startRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{address: listener.Addr().String()}
	a.server = &http.Server{Handler: listen.Answered(listen.AWS, nil, a), ReadHeaderTimeout: time.Minute}
	a.serving.Go(func() { _ = a.server.Serve(listener) }) // it returns when the server is closed
	return a, nil
}

func (a *runtimeAPI) add(e *environment)    { a.environments.Store(e.id, e) }
func (a *runtimeAPI) remove(e *environment) { a.environments.Delete(e.id) }

// close ends the server. No environment is left, so all connections are about to end.
func (a *runtimeAPI) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := a.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = a.server.Close()
	}
	a.serving.Wait()
	return err
}

// ServeHTTP routes a request to its environment and its endpoint.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	found, ok := a.environments.Load(id)
	if !ok {
		noEnvironment(w)
		return
	}
	e := found.(*environment)
	const invocations = "2018-06-01/runtime/invocation/"
	if rest, ok := strings.CutPrefix(path, invocations); ok {
		e.serveInvocation(w, r, rest)
		return
	}
	switch {
	case path == "2018-06-01/runtime/init/error" && r.Method == http.MethodPost:
		e.serveInitError(w, r)
	case path == "2020-01-01/extension/register" && r.Method == http.MethodPost:
		e.serveRegister(w, r)
	case path == "2020-01-01/extension/event/next" && r.Method == http.MethodGet:
		e.serveExtensionNext(w, r)
	default:
		runtimeError(w, http.StatusNotFound, "UnsupportedEndpoint", r.Method+" /"+path+" is not emulated")
	}
}

func (e *environment) serveInvocation(w http.ResponseWriter, r *http.Request, rest string) {
	if rest == "next" && r.Method == http.MethodGet {
		e.serveNext(w, r)
		return
	}
	id, verb, _ := strings.Cut(rest, "/")
	if r.Method != http.MethodPost || verb != "response" && verb != "error" {
		runtimeError(w, http.StatusNotFound, "UnsupportedEndpoint", r.Method+" "+rest+" is not emulated")
		return
	}
	i := e.waiting(id)
	if i == nil {
		runtimeError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	e.serveAnswer(w, r, i, verb == "error")
}

// runtimeError answers as the Runtime API does.
func runtimeError(w http.ResponseWriter, status int, kind, message string) {
	w.Header()["Content-Type"] = contentJSON
	w.WriteHeader(status)
	_, _ = w.Write(errorJSON(kind, message)) // an environment that has ended does not read the answer
}

// noEnvironment answers a request of an environment that has ended.
func noEnvironment(w http.ResponseWriter) {
	runtimeError(w, http.StatusNotFound, "InvalidEnvironment", "no environment has this address")
}

func accepted(w http.ResponseWriter) {
	w.Header()["Content-Type"] = contentJSON
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(statusOK)
}

var (
	contentJSON = []string{"application/json"}
	statusOK    = []byte(`{"status":"OK"}`)
)
