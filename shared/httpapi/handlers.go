package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// timestamp is RFC 3339 in UTC, always with microseconds, which is what Postgres keeps.
const timestamp = "2006-01-02T15:04:05.000000Z"

func createdAt(t task.Task) string { return t.CreatedAt.UTC().Format(timestamp) }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func (a *api) submit(w http.ResponseWriter, r *http.Request) {
	if !isSubmission(w, r) {
		return
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	t, err := a.tasks.Submit(r.Context(), task.Submission{}, key)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/task/"+t.ID.String()+"/status")
	writeJSON(w, http.StatusCreated, struct {
		ID        uuid.UUID `json:"id"`
		CreatedAt string    `json:"created_at"`
		Duration  int64     `json:"duration"`
	}{t.ID, createdAt(t), seconds(t.Duration)})
}

// isSubmission reads a POST /task. It has no query, and its body is empty or a JSON object without members. Other
// requests are answered here.
func isSubmission(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.RawQuery != "" {
		writeProblem(w, http.StatusBadRequest, "the query is "+quote(r.URL.RawQuery)+"; POST /task takes none")
		return false
	}
	body, ok := readBody(w, r)
	if !ok {
		return false
	}
	members, err := object(body)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return false
	}
	for name := range members {
		writeProblem(w, http.StatusBadRequest, "the body has the unknown member "+quote(name)+"; a task takes none")
		return false
	}
	return true
}

func (a *api) cancel(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	if err := a.tasks.Cancel(r.Context(), id); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "task deleted")
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) result(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	t, err := a.tasks.Result(r.Context(), id)
	if errors.Is(err, task.ErrNoResult) {
		noResult(w, t)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Result json.RawMessage `json:"result"`
	}{t.Result})
}

func (a *api) status(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	t, err := a.tasks.Get(r.Context(), id)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Status    string `json:"status"`
		CreatedAt string `json:"created_at"`
		Duration  int64  `json:"duration"`
	}{t.Status.Label(), createdAt(t), seconds(t.Duration)})
}
