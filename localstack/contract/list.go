package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// listChecks check GET /task. Other clients may create and delete tasks, so each check looks at its own tasks only.
func listChecks() []check {
	return []check{
		{"GET /task", listed},
		{"GET /task by pages", pages},
		{"GET /task by status", byStatus},
		{"GET /task with a wrong query", wrongQueries},
	}
}

// three creates three tasks and returns their ids, oldest first.
func three(ctx context.Context, c *client) ([]string, error) {
	var made []string
	for range 3 {
		t, _, err := c.submit(ctx)
		if err != nil {
			return nil, err
		}
		made = append(made, t.ID)
	}
	return made, nil
}

// those returns the ids of some tasks in a list, in the list's order.
func those(tasks []task, some []string) []string {
	var found []string
	for _, t := range tasks {
		if slices.Contains(some, t.ID) {
			found = append(found, t.ID)
		}
	}
	return found
}

func reversed(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}

func listed(ctx context.Context, c *client, f *findings) {
	made, err := three(ctx, c)
	if f.failed(err) {
		return
	}
	tasks, r, err := c.list(ctx, "")
	if f.failed(err) {
		return
	}
	f.expect(slices.Equal(those(tasks, made), reversed(made)), "the list has %v; want %v, newest first", those(tasks, made), reversed(made))
	f.expect(strings.HasPrefix(r.body, "["), "%s; want an array", r)
	for _, t := range tasks {
		f.expect(timestamp.MatchString(t.CreatedAt), "created_at %q of %s is not RFC 3339 in UTC with sub-second digits", t.CreatedAt, t.ID)
		f.expect((t.Result != nil || t.ResultSize > 0) == (t.Status == completed), "task %s is %q and its result null: %t", t.ID, t.Status, t.Result == nil)
	}
	for _, member := range []string{`"id":`, `"result":`, `"status":`, `"created_at":`, `"duration":`} {
		f.expect(strings.Count(r.body, member) == len(tasks), "%s; every task must have %s", r, member)
	}
}

var nextLink = regexp.MustCompile(`^<([^>]*)>; *rel="next"$`)

func pages(ctx context.Context, c *client, f *findings) {
	made, err := three(ctx, c)
	if f.failed(err) {
		return
	}
	var found []string
	at, err := url.Parse(c.url + "/task?limit=2")
	if f.failed(err) {
		return
	}
	for page := 1; len(found) < len(made); page++ {
		tasks, r, err := c.list(ctx, "?"+at.RawQuery)
		if f.failed(err) {
			return
		}
		f.expect(len(tasks) <= 2, "page %d has %d tasks; the limit is 2", page, len(tasks))
		found = append(found, those(tasks, made)...)
		link := nextLink.FindStringSubmatch(r.header.Get("Link"))
		if len(found) == len(made) || !f.expect(link != nil && page < 100, "page %d has the Link %q, before all tasks were seen", page, r.header.Get("Link")) {
			break
		}
		// A Link is relative to the request's own URL (RFC 8288), whatever stage or proxy is in front.
		if at, err = at.Parse(link[1]); f.failed(err) {
			return
		}
		f.expect(strings.HasPrefix(at.String(), c.url+"/task?"), "the Link %q leads to %s", link[1], at)
	}
	f.expect(slices.Equal(found, reversed(made)), "the pages have %v; want %v", found, reversed(made))
}

func byStatus(ctx context.Context, c *client, f *findings) {
	if _, _, err := c.submit(ctx); f.failed(err) {
		return
	}
	for name, label := range map[string]string{"pending": waiting, "running": running, "completed": completed, "failed": failed} {
		for _, value := range []string{name, url.QueryEscape(label), url.PathEscape(label)} {
			tasks, _, err := c.list(ctx, "?limit=10&status="+value)
			if f.failed(err) {
				return
			}
			for _, t := range tasks {
				f.expect(t.Status == label, "the list of status=%s has a task that is %q", value, t.Status)
			}
		}
	}
}

func wrongQueries(ctx context.Context, c *client, f *findings) {
	for _, query := range []string{
		"limit=0", "limit=1001", "limit=x", "limit=", "limit=1.5", "status=nonsense", "status=cancelled", "cursor=x", "page=2", "type=", "tag=", "fairness_key=", "limit=1&limit=2",
	} {
		f.answers(ctx, c, http.StatusBadRequest, http.MethodGet, "/task?"+query, "")
	}
}
