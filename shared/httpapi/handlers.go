package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// timestamp is RFC 3339 in UTC, always with microseconds, the precision of Postgres.
const timestamp = "2006-01-02T15:04:05.000000Z"

func format(t time.Time) string { return t.UTC().Format(timestamp) }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func (a *api) submit(w http.ResponseWriter, r *http.Request) {
	submission, key, ok := a.submission(w, r)
	if !ok {
		return
	}
	t, err := a.tasks.Submit(r.Context(), submission, key)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	l := linksOf(t.ID)
	w.Header().Set("Location", l.Status)
	writeJSON(w, http.StatusCreated, struct {
		ID        uuid.UUID `json:"id"`
		CreatedAt string    `json:"created_at"`
		Duration  int64     `json:"duration"`
		Type      string    `json:"type"`
		Status    string    `json:"status"`
		Links     links     `json:"links"`
	}{t.ID, format(t.CreatedAt), seconds(t.Duration), submission.Type, task.Pending.Label(), l})
}

func (a *api) get(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	a.show(w, r)(a.tasks.Get(r.Context(), id))
}

func (a *api) retry(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	if body, ok := readObject(w, r); !ok {
		return
	} else if len(body) > 0 {
		writeProblem(w, http.StatusUnprocessableEntity, "the body has members; a retry accepts none")
		return
	}
	a.show(w, r)(a.tasks.Retry(r.Context(), id))
}

func (a *api) update(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	members, ok := readObject(w, r)
	if !ok {
		return
	}
	var change task.Change
	m := memberReader{members: members}
	m.moment("run_at", &change.RunAt)
	m.whole("priority", "", &change.Priority, task.MaxPriority, task.MinPriority)
	m.rest("run_at, priority")
	if len(members) == 0 {
		m.say("", "has no members; give run_at, priority or both")
	}
	if len(m.problems) > 0 {
		writeInvalid(w, "the body describes no valid change", m.problems)
		return
	}
	a.show(w, r)(a.tasks.Update(r.Context(), id, change))
}

// show returns a function that answers with a task, or with an error.
func (a *api) show(w http.ResponseWriter, r *http.Request) func(task.Task, error) {
	return func(t task.Task, err error) {
		if err != nil {
			a.fail(w, r, err)
			return
		}
		askAgain(w, t)
		writeJSON(w, http.StatusOK, viewOf(t))
	}
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
	askAgain(w, t)
	writeJSON(w, http.StatusOK, struct {
		Status    string `json:"status"`
		CreatedAt string `json:"created_at"`
		Duration  int64  `json:"duration"`
	}{t.Status.Label(), format(t.CreatedAt), seconds(t.Duration)})
}
