package main

import (
	"context"
	"encoding/json"
	"net/http"
)

// problem is an error of RFC 9457.
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Problem string `json:"problem"`
	Errors  []struct{ Detail, Pointer string }
}

// expectProblem checks an error answer of the application.
func (f *findings) expectProblem(r reply, status int) problem {
	var p problem
	if !f.expect(r.status == status, "%s; want %d", r, status) ||
		!f.expect(mediaType(r) == "application/problem+json", "%s; want application/problem+json", r) {
		return p
	}
	if err := json.Unmarshal([]byte(r.body), &p); !f.expect(err == nil, "%s: %v", r, err) {
		return p
	}
	f.expect(p.Type != "" && p.Title != "" && p.Detail != "" && p.Status == status,
		"%s; want type, title, detail and the status %d", r, status)
	return p
}

// expectGatewayProblem checks an error answer of the gateway itself.
func (f *findings) expectGatewayProblem(c *client, r reply, status int) {
	if c.platform.plainErrors && r.status == status && mediaType(r) == "application/json" {
		f.differ("%s: the gateway's errors have their default form", r)
		return
	}
	f.expectProblem(r, status)
}

// answers sends a request and checks that the API refuses it.
func (f *findings) answers(ctx context.Context, c *client, status int, method, path, body string, headers ...string) problem {
	r, err := c.do(ctx, method, path, body, headers...)
	if f.failed(err) {
		return problem{}
	}
	if r.status == http.StatusCreated { // a wrong success: leave nothing behind
		var t task
		if json.Unmarshal([]byte(r.body), &t) == nil {
			c.remember(t.ID)
		}
	}
	return f.expectProblem(r, status)
}
