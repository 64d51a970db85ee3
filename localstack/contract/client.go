package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// requestTimeout is longer than API Gateway's time-out of 29 s, and than a cold start in a container.
const requestTimeout = 60 * time.Second

// client sends requests and remembers the tasks that it created.
type client struct {
	options
	http     *http.Client
	platform platform

	mu   sync.Mutex
	made []string
}

func newClient(o options) *client {
	return &client{options: o, http: &http.Client{Timeout: requestTimeout}}
}

// reply is a whole answer.
type reply struct {
	request string // method and path, for messages
	status  int
	header  http.Header
	body    string
}

func (r reply) String() string {
	body := r.body
	if len(body) > 300 {
		body = body[:300] + "…"
	}
	return fmt.Sprintf("%s: %d %s %s", r.request, r.status, r.header.Get("Content-Type"), body)
}

// do sends a request to a path below the base URL. Headers are name, value, name, value.
func (c *client) do(ctx context.Context, method, path, body string, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if c.key != "" {
		request.Header.Set("X-Api-Key", c.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
			continue
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return reply{}, err // the error names method and URL already
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 10<<20))
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return reply{method + " " + path, answer.StatusCode, answer.Header, string(text)}, nil
}

// task is a task in the API's answers.
type task struct {
	ID        string           `json:"id"`
	Result    *json.RawMessage `json:"result"`
	Status    string           `json:"status"`
	CreatedAt string           `json:"created_at"`
	Duration  float64          `json:"duration"`
	Error     string           `json:"error"`
	Type      string           `json:"type"`
	// ResultSize is the length of a result that is too long for a list.
	ResultSize int `json:"result_size"`
}

// The statuses that clients see.
const (
	waiting   = "created, but waiting to start"
	running   = "in process"
	completed = "completed"
	failed    = "failed by io bound"
)

func (t task) ended() bool { return t.Status == completed || t.Status == failed }

// decode checks the status of an answer and decodes its JSON.
func (r reply) decode(status int, into any) error {
	if r.status != status {
		return fmt.Errorf("%s; want %d", r, status)
	}
	if mediaType(r) != "application/json" {
		return fmt.Errorf("%s; want application/json", r)
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	return nil
}

// mediaType returns the content type without its parameters.
func mediaType(r reply) string {
	name, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// submit creates a task.
func (c *client) submit(ctx context.Context, headers ...string) (task, reply, error) {
	return c.submitBody(ctx, "", headers...)
}

// submitBody creates a task from a body.
func (c *client) submitBody(ctx context.Context, body string, headers ...string) (task, reply, error) {
	r, err := c.do(ctx, http.MethodPost, "/task", body, headers...)
	if err != nil {
		return task{}, r, err
	}
	var t task
	if err := r.decode(http.StatusCreated, &t); err != nil {
		return t, r, err
	}
	c.remember(t.ID)
	return t, r, nil
}

func (c *client) remember(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, id)
}

// get returns a task's status.
func (c *client) get(ctx context.Context, id string) (task, error) {
	r, err := c.do(ctx, http.MethodGet, "/task/"+id+"/status", "")
	if err != nil {
		return task{}, err
	}
	var t task
	return t, r.decode(http.StatusOK, &t)
}

// list returns the newest tasks; query is "" or begins with "?".
func (c *client) list(ctx context.Context, query string) ([]task, reply, error) {
	r, err := c.do(ctx, http.MethodGet, "/task"+query, "")
	if err != nil {
		return nil, r, err
	}
	var tasks []task
	return tasks, r, r.decode(http.StatusOK, &tasks)
}

// remove deletes a task.
func (c *client) remove(ctx context.Context, id string) error {
	r, err := c.do(ctx, http.MethodDelete, "/task/"+id, "")
	if err == nil && (r.status != http.StatusNoContent || r.body != "") {
		err = fmt.Errorf("%s; want 204 without a body", r)
	}
	return err
}

// deleteAll deletes the remaining tasks of this client.
func (c *client) deleteAll(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, id := range c.made {
		r, err := c.do(ctx, http.MethodDelete, "/task/"+id, "")
		if err == nil && r.status != http.StatusNoContent && r.status != http.StatusNotFound {
			err = fmt.Errorf("clean up: %s", r)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	c.made = nil
	return errors.Join(errs...)
}

// until polls done, and reports whether it became true in time. It returns the first error.
func until(ctx context.Context, within time.Duration, done func() (bool, error)) (bool, error) {
	deadline := time.Now().Add(within)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil || time.Now().After(deadline) {
			return ok, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}
