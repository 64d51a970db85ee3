package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// unknownID is a UUID without a task.
const unknownID = "01890a5d-ac96-774b-bcce-b302099a8057"

var (
	uuidV7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	// timestamp is RFC 3339 in UTC with sub-second digits.
	timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$`)
)

// contractChecks each send one request and check its answer.
func contractChecks() []check {
	return []check{
		{"POST /task", submitted},
		{"POST /task with a body", bodies},
		{"GET /task/{id}/status", status},
		{"GET /task/{id}/result before the end", noResult},
		{"DELETE /task/{id}", deleted},
		{"ids that are none, and unknown ones", ids},
		{"routes that do not exist", routes},
		{"methods that a route does not have, HEAD and OPTIONS", methods},
		{"the API key", apiKey},
	}
}

// members returns the names in a JSON object.
func members(text string) []string {
	var object map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &object)
	return slices.Sorted(maps.Keys(object))
}

func submitted(ctx context.Context, c *client, f *findings) {
	before := time.Now()
	t, r, err := c.submit(ctx)
	if f.failed(err) {
		return
	}
	old := fmt.Sprintf(`{"id":%q,"created_at":%q,"duration":0`, t.ID, t.CreatedAt)
	f.expect(strings.HasPrefix(r.body, old), "%s; want it to begin with %s", r, old)
	f.expect(slices.Equal(members(r.body), []string{"created_at", "duration", "id", "links", "status", "type"}), "%s; want six members", r)
	f.expect(t.Type == "iowork" && t.Status == waiting, "%s; want the simulated job, waiting", r)
	f.expect(uuidV7.MatchString(t.ID), "id %q is no UUID version 7", t.ID)
	f.expect(timestamp.MatchString(t.CreatedAt), "created_at %q is not RFC 3339 in UTC with sub-second digits", t.CreatedAt)
	f.expect(t.Duration == 0, "duration is %g; want 0", t.Duration)
	f.expect(r.header.Get("Location") == "/task/"+t.ID+"/status", "Location is %q; want /task/%s/status", r.header.Get("Location"), t.ID)
	if at, err := time.Parse(time.RFC3339, t.CreatedAt); err == nil && (at.Before(before.Add(-time.Minute)) || at.After(time.Now().Add(time.Minute))) {
		f.note("created_at differs from this machine's clock by %s", time.Since(at).Round(time.Second))
	}
}

func bodies(ctx context.Context, c *client, f *findings) {
	r, err := c.do(ctx, http.MethodPost, "/task", "{}", "Content-Type", "application/json")
	var t task
	if !f.failed(err) && !f.failed(r.decode(http.StatusCreated, &t)) {
		c.remember(t.ID)
	}
	encoded(ctx, c, f)
	for _, body := range []string{"{", "[]", "null", `"x"`, "{} {}", `{"delay":1,"delay":2}`} {
		f.answers(ctx, c, http.StatusBadRequest, http.MethodPost, "/task", body, "Content-Type", "application/json")
	}
	f.answers(ctx, c, http.StatusRequestEntityTooLarge, http.MethodPost, "/task", strings.Repeat(" ", 257<<10))
}

// encoded sends a body that is not encoded as its header says.
func encoded(ctx context.Context, c *client, f *findings) {
	r, err := c.do(ctx, http.MethodPost, "/task", "{}", "Content-Encoding", "gzip")
	switch {
	case f.failed(err):
	case c.platform.decodesBodies && r.status == http.StatusInternalServerError:
		f.differ("%s: the gateway decodes bodies itself", r)
	default:
		f.expectProblem(r, http.StatusUnsupportedMediaType)
	}
}

func status(ctx context.Context, c *client, f *findings) {
	t, _, err := c.submit(ctx)
	if f.failed(err) {
		return
	}
	r, err := c.do(ctx, http.MethodGet, "/task/"+t.ID+"/status", "")
	var got task
	if f.failed(err) || f.failed(r.decode(http.StatusOK, &got)) {
		return
	}
	f.expect(slices.Equal(members(r.body), []string{"created_at", "duration", "status"}), "%s; want status, created_at, duration", r)
	f.expect(slices.Contains([]string{waiting, running, completed, failed}, got.Status), "status is %q", got.Status)
	f.expect(got.CreatedAt == t.CreatedAt, "created_at is %s; the submission's was %s", got.CreatedAt, t.CreatedAt)
	f.expect(got.Status != waiting || got.Duration == 0, "%s; want the duration 0 while the task waits", r)
	f.expect(got.Duration == float64(int64(got.Duration)) && got.Duration >= 0, "duration is %g; want whole seconds", got.Duration)
}

func noResult(ctx context.Context, c *client, f *findings) {
	t, _, err := c.submit(ctx)
	if f.failed(err) {
		return
	}
	r, err := c.do(ctx, http.MethodGet, "/task/"+t.ID+"/result", "")
	if f.failed(err) {
		return
	}
	if r.status == http.StatusOK {
		f.skip("the job ended before its result was asked for")
		return
	}
	const want = "task running or failed, no result, check status"
	p := f.expectProblem(r, http.StatusConflict)
	f.expect(p.Problem == want && p.Detail == want, "problem is %q and detail %q; want %q", p.Problem, p.Detail, want)
}

func deleted(ctx context.Context, c *client, f *findings) {
	t, _, err := c.submit(ctx)
	if f.failed(err) || f.failed(c.remove(ctx, t.ID)) {
		return
	}
	f.answers(ctx, c, http.StatusNotFound, http.MethodDelete, "/task/"+t.ID, "")
	f.answers(ctx, c, http.StatusNotFound, http.MethodGet, "/task/"+t.ID, "")
	f.answers(ctx, c, http.StatusNotFound, http.MethodGet, "/task/"+t.ID+"/status", "")
	f.answers(ctx, c, http.StatusNotFound, http.MethodGet, "/task/"+t.ID+"/result", "")
	tasks, _, err := c.list(ctx, "?limit=1000")
	if f.failed(err) {
		return
	}
	f.expect(!slices.ContainsFunc(tasks, func(other task) bool { return other.ID == t.ID }), "the list still has the deleted task %s", t.ID)
}

func ids(ctx context.Context, c *client, f *findings) {
	for id, want := range map[string]int{
		"7": 400, "x": 400, unknownID[1:]: 400, unknownID + "0": 400, "%7B" + unknownID + "%7D": 400,
		strings.ReplaceAll(unknownID, "-", ""): 400, unknownID: 404,
	} {
		f.answers(ctx, c, want, http.MethodGet, "/task/"+id, "")
		f.answers(ctx, c, want, http.MethodPatch, "/task/"+id, `{"priority":1}`)
		f.answers(ctx, c, want, http.MethodPost, "/task/"+id+"/retry", "")
		f.answers(ctx, c, want, http.MethodGet, "/task/"+id+"/status", "")
		f.answers(ctx, c, want, http.MethodGet, "/task/"+id+"/result", "")
		f.answers(ctx, c, want, http.MethodDelete, "/task/"+id, "")
	}
}

func routes(ctx context.Context, c *client, f *findings) {
	for _, path := range []string{"/no-such-route", "/task/" + unknownID + "/status/more"} {
		r, err := c.do(ctx, http.MethodGet, path, "")
		if !f.failed(err) {
			f.expectGatewayProblem(c, r, http.StatusForbidden)
		}
	}
}

// methods checks the answers to methods that a route does not implement itself (RFC 9110, section 9.1).
func methods(ctx context.Context, c *client, f *findings) {
	for _, route := range [][2]string{
		{"PUT", "/task"}, {"DELETE", "/task"}, {"POST", "/task/" + unknownID}, {"POST", "/task/" + unknownID + "/result"},
	} {
		r, err := c.do(ctx, route[0], route[1], "")
		if !f.failed(err) {
			f.expectProblem(r, http.StatusMethodNotAllowed)
			f.expect(strings.Contains(r.header.Get("Allow"), "OPTIONS"), "%s: Allow is %q", r, r.header.Get("Allow"))
		}
	}
	for method, want := range map[string]int{http.MethodHead: http.StatusOK, http.MethodOptions: http.StatusNoContent} {
		r, err := c.do(ctx, method, "/task", "")
		if !f.failed(err) {
			f.expect(r.status == want && r.body == "", "%s; want %d without a body", r, want)
		}
	}
}

func apiKey(ctx context.Context, c *client, f *findings) {
	if c.key == "" {
		f.skip("no API key was given (API_KEY)")
		return
	}
	for _, key := range []string{"", "no-such-key-0123456789"} {
		r, err := c.do(ctx, http.MethodGet, "/task", "", "X-Api-Key", key)
		if !f.failed(err) {
			f.expectGatewayProblem(c, r, http.StatusForbidden)
		}
	}
}
