package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
)

// keyChecks are about Idempotency-Key.
func keyChecks() []check {
	return []check{
		{"POST /task with an Idempotency-Key", repeated},
		{"the same Idempotency-Key at once", atOnce},
		{"malformed Idempotency-Keys", malformedKeys},
	}
}

func repeated(ctx context.Context, c *client, f *findings) {
	key := "contract-" + rand.Text()
	_, first, err := c.submit(ctx, "Idempotency-Key", key)
	if f.failed(err) {
		return
	}
	for _, again := range []string{key, `"` + key + `"`} {
		_, second, err := c.submit(ctx, "Idempotency-Key", again)
		if f.failed(err) {
			return
		}
		f.expect(second.body == first.body, "the key %s answers %s, before %s", again, second, first)
		f.expect(second.header.Get("Location") == first.header.Get("Location"), "the repetition's Location is %q", second.header.Get("Location"))
	}
	r, err := c.do(ctx, http.MethodPost, "/task", "{}", "Idempotency-Key", key)
	if f.failed(err) {
		return
	}
	f.expect(r.body == first.body, "the key %s with {} for a body answers %s, before %s", key, r, first)
	f.answers(ctx, c, http.StatusUnprocessableEntity, http.MethodPost, "/task", `{"delay":3600}`, "Idempotency-Key", key)
}

func atOnce(ctx context.Context, c *client, f *findings) {
	const times = 5
	key := "contract-" + rand.Text()
	var ids [times]string
	var errs [times]error
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			t, _, err := c.submit(ctx, "Idempotency-Key", key)
			ids[i], errs[i] = t.ID, err
		})
	}
	all.Wait()
	for i := range times {
		if !f.failed(errs[i]) {
			f.expect(ids[i] == ids[0], "one key made the tasks %s and %s", ids[0], ids[i])
		}
	}
}

func malformedKeys(ctx context.Context, c *client, f *findings) {
	for _, key := range []string{"a b", `""`, `a"b`, strings.Repeat("k", 256)} {
		f.answers(ctx, c, http.StatusBadRequest, http.MethodPost, "/task", "", "Idempotency-Key", key)
	}
}
