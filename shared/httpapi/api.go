// Package httpapi is the REST API over the use cases of package task. It has routes, handlers and error answers on
// plain net/http, and the adapter that runs them as a Lambda function behind API Gateway.
package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// MaxBody is the largest accepted request body in bytes.
const MaxBody = 256 << 10

// Tasks are the use cases that the API serves, such as task.Service.
type Tasks interface {
	Submit(ctx context.Context, submission task.Submission, key task.Key) (task.Task, error)
	Get(ctx context.Context, id uuid.UUID) (task.Task, error)
	Result(ctx context.Context, id uuid.UUID) (task.Task, error)
	List(ctx context.Context, page task.Page) ([]task.Task, error)
	Cancel(ctx context.Context, id uuid.UUID) error
	Retry(ctx context.Context, id uuid.UUID) (task.Task, error)
	Update(ctx context.Context, id uuid.UUID, change task.Change) (task.Task, error)
}

// Options are the workers' limits, which the API enforces and shows.
type Options struct {
	// Jobs are the jobs that a submission can choose.
	Jobs job.Catalogue
	// MaxAttempts and MaxTimeout limit a submission, unless its job has lower limits.
	MaxAttempts int
	MaxTimeout  time.Duration
}

type api struct {
	tasks   Tasks
	options Options
	log     *slog.Logger
}

// New returns the handler of all routes. It answers every request. Failures, panics included, get
// application/problem+json.
func New(tasks Tasks, options Options, log *slog.Logger) http.Handler {
	a := &api{tasks: tasks, options: options, log: log}
	mux := http.NewServeMux()
	for pattern, methods := range a.routes() {
		allowed := []string{http.MethodOptions}
		for method, h := range methods {
			mux.HandleFunc(method+" "+pattern, h)
			allowed = append(allowed, method)
			if method == http.MethodGet { // ServeMux adds HEAD
				allowed = append(allowed, http.MethodHead)
			}
		}
		slices.Sort(allowed)
		mux.HandleFunc(pattern, otherMethod(strings.Join(allowed, ", ")))
	}
	mux.HandleFunc("/", notFound)
	return guard(asSent(mux), log)
}

// asSent answers 404 to paths with empty or dot segments, which ServeMux would redirect. API Gateway matches the path
// as the client sent it, and the redirect would lack the stage.
func asSent(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path.Clean(r.URL.Path) {
			notFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, http.StatusNotFound, "no such route: "+r.URL.Path)
}

// routes lists the routes: path pattern, method, handler.
func (a *api) routes() map[string]map[string]http.HandlerFunc {
	return map[string]map[string]http.HandlerFunc{
		"/job":              {http.MethodGet: a.jobs},
		"/task":             {http.MethodPost: a.submit, http.MethodGet: a.list},
		"/task/{id}":        {http.MethodGet: withID(a.get), http.MethodPatch: withID(a.update), http.MethodDelete: withID(a.cancel)},
		"/task/{id}/retry":  {http.MethodPost: withID(a.retry)},
		"/task/{id}/result": {http.MethodGet: withID(a.result)},
		"/task/{id}/status": {http.MethodGet: withID(a.status)},
	}
}

// otherMethod lists a route's methods, as the answer to OPTIONS or as the reason of a 405.
func otherMethod(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeProblem(w, http.StatusMethodNotAllowed, r.Method+" is not allowed here; allowed are "+allowed)
	}
}

// withID parses the task id in the path, and answers 400 to anything else. Only the canonical form of 36 characters is
// an id (RFC 9562, section 4). Log lines with the request's context carry the id.
func withID(h func(http.ResponseWriter, *http.Request, uuid.UUID)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := r.PathValue("id")
		id, err := uuid.Parse(text)
		if err != nil || len(text) != 36 {
			writeProblem(w, http.StatusBadRequest, "the task id in the path must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
			return
		}
		h(w, r.WithContext(logging.Task(r.Context(), id.String(), 0)), id)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // the guard answers 500
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
