package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/eragon-mdi/ksu/shared/task"
)

// problem is an error answer: application/problem+json of RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Problem and Error are extension members, only in the answer to GET /task/{id}/result. Error says why the last
	// attempt of the task failed, if one did.
	Problem string `json:"problem,omitempty"`
	Error   string `json:"error,omitempty"`
	// Errors are the problems with the members of a body, in a 422.
	Errors invalid `json:"errors,omitempty"`
}

// invalid is the list of a body's problems.
type invalid []invalidMember

// invalidMember is one problem with a member, in the form of the example of RFC 9457, section 3.
type invalidMember struct {
	Detail string `json:"detail"`
	// Pointer is a JSON Pointer in the form of a URI fragment.
	Pointer string `json:"pointer"`
}

// writeProblem answers with an error whose detail is safe to show.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	write(w, problem{Title: http.StatusText(status), Status: status, Detail: detail})
}

func write(w http.ResponseWriter, p problem) {
	p.Type = "about:blank"
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number always encode
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// writeInvalid answers that a body has wrong members.
func writeInvalid(w http.ResponseWriter, detail string, problems invalid) {
	const status = http.StatusUnprocessableEntity
	write(w, problem{Title: http.StatusText(status), Status: status, Detail: detail, Errors: problems})
}

// noResult answers that a task has not completed.
func noResult(w http.ResponseWriter, t task.Task) {
	write(w, problem{
		Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict,
		Detail: task.ErrNoResult.Error(), Problem: task.ErrNoResult.Error(), Error: t.Error,
	})
}

// fail answers with a use case's error. It logs any error but the domain's own, and does not show its text, which may
// hold addresses or statements.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, task.ErrNotFound):
		writeProblem(w, http.StatusNotFound, "no task has this id, or it was deleted")
	case errors.Is(err, task.ErrNotFailed), errors.Is(err, task.ErrNotWaiting):
		writeProblem(w, http.StatusConflict, sentence(err))
	case errors.Is(err, task.ErrKeyReused):
		writeProblem(w, http.StatusUnprocessableEntity, "this Idempotency-Key was used with another request body")
	case errors.Is(err, task.ErrUnavailable):
		a.log.ErrorContext(r.Context(), "store unavailable", "method", r.Method, "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
		writeProblem(w, http.StatusServiceUnavailable, "the task store is unavailable; try again")
	default:
		a.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		writeProblem(w, http.StatusInternalServerError, "the request failed; the log has the reason")
	}
}

// sentence returns the text of the domain's error for a conflict.
func sentence(err error) string {
	if errors.Is(err, task.ErrNotFailed) {
		return task.ErrNotFailed.Error()
	}
	return task.ErrNotWaiting.Error()
}
