package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// item is one task of GET /task.
type item struct {
	ID        uuid.UUID       `json:"id"`
	Result    json.RawMessage `json:"result"`
	Status    string          `json:"status"`
	CreatedAt string          `json:"created_at"`
	Duration  int64           `json:"duration"`
	// Error is why the last attempt failed; absent when none did.
	Error string `json:"error,omitempty"`
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	query, err := readQuery(r, "limit", "cursor", "status")
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	page, problem := pageOf(query)
	if problem != "" {
		writeProblem(w, http.StatusBadRequest, problem)
		return
	}
	asked := page.Limit
	page.Limit++ // one more than shown tells whether there is a next page
	tasks, err := a.tasks.List(r.Context(), page)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if len(tasks) > asked {
		tasks = tasks[:asked]
		w.Header().Set("Link", nextLink(query, tasks[asked-1].ID))
	}
	items := make([]item, len(tasks))
	for i, t := range tasks {
		items[i] = item{ID: t.ID, Status: t.Status.Label(), CreatedAt: createdAt(t), Duration: seconds(t.Duration), Error: t.Error, Result: t.Result}
	}
	writeJSON(w, http.StatusOK, items)
}

// pageOf reads the parameters of GET /task, or says what is wrong with them.
func pageOf(q url.Values) (task.Page, string) {
	page := task.Page{Limit: task.DefaultPageLimit}
	for name, values := range q {
		value := values[0]
		switch name {
		case "limit":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > task.MaxPageLimit {
				return page, "limit is " + quote(value) + "; allowed are whole numbers from 1 to " + strconv.Itoa(task.MaxPageLimit)
			}
			page.Limit = n
		case "cursor":
			id, err := uuid.Parse(value)
			if err != nil {
				return page, "cursor is " + quote(value) + "; take it from the Link header of the page before"
			}
			page.Before = id
		case "status":
			status, err := task.ParseStatus(value)
			if err != nil {
				return page, err.Error()
			}
			page.Status = status
		}
	}
	return page, ""
}

// nextLink is the Link header to the page after the task with this id (RFC 8288), as a reference relative to the
// request's own path, so that it holds behind any stage or proxy.
func nextLink(q url.Values, last uuid.UUID) string {
	q.Set("cursor", last.String())
	return "<?" + q.Encode() + `>; rel="next"`
}

func quote(s string) string { return strconv.QuoteToGraphic(s) }
