package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// submissionChecks check the members of a submission, and how its task shows them.
func submissionChecks() []check {
	return []check{
		{"GET /job", jobs},
		{"POST /task with all members", allMembers},
		{"POST /task with wrong members", wrongMembers},
		{"PATCH of a waiting task", changed},
		{"GET /task by type, tag and fairness_key", filtered},
		{"POST /task/{id}/retry of a failed task", retried},
	}
}

// planned returns a body for a task that waits for an hour and carries a word.
func planned(word string) string {
	return fmt.Sprintf(`{"type":"iowork","payload":{},"delay":3600,"priority":4,"fairness_key":%[1]q,"max_attempts":1,"timeout":5,"ttl":7200,`+
		`"tags":["contract",%[1]q],"metadata":{"word":%[1]q}}`, word)
}

// wholeTask is the answer to GET /task/{id}.
type wholeTask struct {
	task
	RunAt       string            `json:"run_at"`
	ExpiresAt   string            `json:"expires_at"`
	Priority    int               `json:"priority"`
	FairnessKey string            `json:"fairness_key"`
	MaxAttempts int               `json:"max_attempts"`
	Timeout     int               `json:"timeout"`
	Tags        []string          `json:"tags"`
	Metadata    map[string]string `json:"metadata"`
	Payload     json.RawMessage   `json:"payload"`
	Attempts    []struct {
		Number         int
		Started, Ended string
		Error          string
	} `json:"attempts"`
	Links struct{ Task, Status, Result string } `json:"links"`
}

// whole returns all members of a task.
func (c *client) whole(ctx context.Context, id string) (t wholeTask, r reply, err error) {
	if r, err = c.do(ctx, http.MethodGet, "/task/"+id, ""); err == nil {
		err = r.decode(http.StatusOK, &t)
	}
	return t, r, err
}

func jobs(ctx context.Context, c *client, f *findings) {
	r, err := c.do(ctx, http.MethodGet, "/job", "")
	var list []struct {
		Name                        string
		PayloadSchema, ResultSchema json.RawMessage
	}
	if f.failed(err) || f.failed(r.decode(http.StatusOK, &list)) {
		return
	}
	var names []string
	for _, j := range list {
		names = append(names, j.Name)
	}
	f.expect(slices.IsSorted(names), "the jobs are %v; want them sorted", names)
	for _, want := range []string{"http", "iowork"} {
		f.expect(slices.Contains(names, want), "the jobs are %v; want %s among them", names, want)
	}
	f.expect(strings.Count(r.body, `"payload_schema":{`) == len(list) && strings.Count(r.body, `"result_schema":{`) == len(list),
		"%s; want two schemas a job", r)
}

func allMembers(ctx context.Context, c *client, f *findings) {
	word := "contract-" + rand.Text()
	t, r, err := c.submitBody(ctx, planned(word))
	if f.failed(err) {
		return
	}
	f.expect(t.Type == "iowork" && t.Status == waiting, "%s; want the type and the status", r)
	got, r, err := c.whole(ctx, t.ID)
	if f.failed(err) {
		return
	}
	f.expect(got.ID == t.ID && got.Type == "iowork" && got.Status == waiting && got.CreatedAt == t.CreatedAt, "%s; want what the submission answered", r)
	f.expect(got.Priority == 4 && got.FairnessKey == word && got.MaxAttempts == 1 && got.Timeout == 5 && slices.Equal(got.Tags, []string{"contract", word}) &&
		got.Metadata["word"] == word && string(got.Payload) == "{}" && len(got.Attempts) == 0 && got.Result == nil, "%s; want what was submitted", r)
	for what, times := range map[string][2]string{"run_at": {got.RunAt, "3600"}, "expires_at": {got.ExpiresAt, "7200"}} {
		at, err := time.Parse(time.RFC3339, times[0])
		began, _ := time.Parse(time.RFC3339, t.CreatedAt)
		f.expect(err == nil && strconv.Itoa(int(at.Sub(began).Round(time.Second)/time.Second)) == times[1], "%s is %s; want %s s after %s", what, times[0], times[1], t.CreatedAt)
	}
	wait, err := strconv.Atoi(r.header.Get("Retry-After"))
	f.expect(err == nil && wait > 3500 && wait <= 3600, "Retry-After is %q; want the time to run_at", r.header.Get("Retry-After"))
	f.expect(got.Links.Task == "/task/"+t.ID && got.Links.Status == "/task/"+t.ID+"/status" && got.Links.Result == "/task/"+t.ID+"/result", "%s; want links", r)
	f.answers(ctx, c, http.StatusConflict, http.MethodGet, "/task/"+t.ID+"/result", "")
	f.answers(ctx, c, http.StatusConflict, http.MethodPost, "/task/"+t.ID+"/retry", "")
}

func wrongMembers(ctx context.Context, c *client, f *findings) {
	for body, want := range map[string]string{
		`{"a":1}`:                "#/a",
		`{"type":"no-such-job"}`: "#/type",
		`{"type":"http"}`:        "#/payload/url",
		`{"type":"http","payload":{"url":"ftp://x"}}`: "#/payload/url",
		`{"payload":{"a~/b":1}}`:                      "#/payload/a~0~1b",
		`{"run_at":"soon"}`:                           "#/run_at",
		`{"run_at":"2026-01-02T03:04:05Z","delay":1}`: "#/delay",
		`{"delay":-1}`:                                "#/delay",
		`{"priority":0}`:                              "#/priority",
		`{"fairness_key":""}`:                         "#/fairness_key",
		`{"max_attempts":1000}`:                       "#/max_attempts",
		`{"timeout":100000}`:                          "#/timeout",
		`{"ttl":0}`:                                   "#/ttl",
		`{"tags":["a","a"]}`:                          "#/tags/1",
		`{"metadata":{"a":"\u0000"}}`:                 "#/metadata/a",
	} {
		p := f.answers(ctx, c, http.StatusUnprocessableEntity, http.MethodPost, "/task", body)
		f.expect(len(p.Errors) > 0 && p.Errors[0].Pointer == want && p.Errors[0].Detail != "", "%s: errors %v; want one at %s", body, p.Errors, want)
	}
}

func changed(ctx context.Context, c *client, f *findings) {
	t, _, err := c.submitBody(ctx, planned("contract-"+rand.Text()))
	if f.failed(err) {
		return
	}
	const day = 24 * time.Hour
	at := time.Now().Add(day).UTC().Truncate(time.Second).Format(time.RFC3339)
	r, err := c.do(ctx, http.MethodPatch, "/task/"+t.ID, fmt.Sprintf(`{"priority":1,"run_at":%q}`, at), "Content-Type", "application/json")
	var answer wholeTask
	if f.failed(err) || f.failed(r.decode(http.StatusOK, &answer)) {
		return
	}
	got, r, err := c.whole(ctx, t.ID)
	if f.failed(err) {
		return
	}
	for _, task := range []wholeTask{answer, got} {
		run, err := time.Parse(time.RFC3339, task.RunAt)
		f.expect(err == nil && run.Format(time.RFC3339) == at && task.Priority == 1, "%s; want priority 1 and run_at %s", r, at)
	}
	for _, body := range []string{"", "{}", `{"type":"http"}`, `{"priority":9}`, `{"run_at":null}`} {
		f.answers(ctx, c, http.StatusUnprocessableEntity, http.MethodPatch, "/task/"+t.ID, body)
	}
}

func filtered(ctx context.Context, c *client, f *findings) {
	word := "contract-" + rand.Text()
	t, _, err := c.submitBody(ctx, planned(word))
	if f.failed(err) {
		return
	}
	for query, want := range map[string][]string{
		"tag=" + word: {t.ID}, "fairness_key=" + word: {t.ID}, "tag=" + word + "&type=iowork&fairness_key=" + word + "&status=pending": {t.ID},
		"tag=" + word + "&type=http": nil, "tag=" + word + "&status=completed": nil, "fairness_key=no-" + word: nil, "tag=no-" + word: nil,
	} {
		tasks, r, err := c.list(ctx, "?"+query)
		if f.failed(err) {
			continue
		}
		var ids []string
		for _, task := range tasks {
			ids = append(ids, task.ID)
		}
		f.expect(slices.Equal(ids, want), "%s; want the tasks %v", r, want)
	}
}

// retried lets a task fail, since its job may not reach the address, and retries it.
func retried(ctx context.Context, c *client, f *findings) {
	if c.wait == 0 {
		f.skip("-wait is 0")
		return
	}
	t, _, err := c.submitBody(ctx, `{"type":"http","payload":{"url":"http://169.254.169.254/"},"priority":1}`)
	if f.failed(err) {
		return
	}
	for attempts := 1; attempts <= 2; attempts++ {
		var got wholeTask
		var r reply
		ended, err := until(ctx, min(c.wait, patience), func() (bool, error) {
			got, r, err = c.whole(ctx, t.ID)
			return got.ended(), err
		})
		if f.failed(err) || !f.expect(ended, "%s; want its ending within %s", r, patience) {
			return
		}
		f.expect(got.Status == failed && len(got.Attempts) == attempts && got.Attempts[attempts-1].Error != "" && got.Error != "", "%s; want %d failed attempts", r, attempts)
		if attempts == 2 {
			return
		}
		r, err = c.do(ctx, http.MethodPost, "/task/"+t.ID+"/retry", "")
		if f.failed(err) || f.failed(r.decode(http.StatusOK, &got)) {
			return
		}
		f.expect(got.Status == waiting && len(got.Attempts) == 1, "%s; want a waiting task with one attempt", r)
	}
}
