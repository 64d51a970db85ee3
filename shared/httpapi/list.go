package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

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
	// Error says why the last attempt failed; absent if none did.
	Error       string   `json:"error,omitempty"`
	Type        string   `json:"type"`
	FairnessKey string   `json:"fairness_key"`
	Tags        []string `json:"tags,omitempty"`
	// ResultSize is the length in bytes of a result that is too long for a list; Result is then null.
	ResultSize int `json:"result_size,omitempty"`
}

// maxPage is the approximate maximum size of a page in bytes. Lambda answers up to 6 MB, in which each quote takes two
// bytes.
const maxPage = 5 << 19

func itemOf(t task.Task) item {
	return item{
		ID: t.ID, Result: t.Result, Status: t.Status.Label(), CreatedAt: format(t.CreatedAt), Duration: seconds(t.Duration), Error: t.Error,
		Type: t.Type, FairnessKey: t.FairnessKey, Tags: t.Tags, ResultSize: t.ResultSize,
	}
}

// pageItems encodes tasks until maxPage is reached, but at least one.
func pageItems(tasks []task.Task) []json.RawMessage {
	items, size := []json.RawMessage{}, 0
	for _, t := range tasks {
		text, err := json.Marshal(itemOf(t))
		if err != nil {
			panic(err) // the guard answers 500
		}
		if size += len(text); size > maxPage && len(items) > 0 {
			break
		}
		items = append(items, text)
	}
	return items
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	query, err := readQuery(r, "limit", "cursor", "status", "type", "tag", "fairness_key")
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
	items := pageItems(tasks[:min(len(tasks), asked)])
	if len(items) < len(tasks) {
		w.Header().Set("Link", nextLink(query, tasks[len(items)-1].ID))
	}
	writeJSON(w, http.StatusOK, items)
}

// pageOf parses the parameters of GET /task, or returns what is wrong with them.
func pageOf(q url.Values) (task.Page, string) {
	page := task.Page{Limit: task.DefaultPageLimit}
	for name, values := range q {
		value := values[0]
		if value == "" || strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
			return page, name + " is " + quote(value) + "; allowed are texts in UTF-8 without NUL"
		}
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
		case "type":
			page.Type = value
		case "tag":
			page.Tag = value
		case "fairness_key":
			page.FairnessKey = value
		}
	}
	return page, ""
}

// nextLink returns the Link header to the page after the task with this id (RFC 8288). It is relative to the request's
// own path, so that it works behind any stage or proxy.
func nextLink(q url.Values, last uuid.UUID) string {
	q.Set("cursor", last.String())
	return "<?" + q.Encode() + `>; rel="next"`
}

func quote(s string) string { return strconv.QuoteToGraphic(s) }
