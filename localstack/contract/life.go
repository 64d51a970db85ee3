package main

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// patience is how long a change may take that does not wait for a job: cold starts, polling, heartbeats.
const patience = 90 * time.Second

// cancelChecks check DELETE of waiting and running tasks.
func cancelChecks() []check {
	return []check{{"DELETE of waiting and of running tasks", cancelled}}
}

// cancelled fills the semaphore, deletes a waiting task, and then all running tasks, whose slots other tasks must get.
func cancelled(ctx context.Context, c *client, f *findings) {
	if c.tasks == 0 {
		f.skip("-tasks is 0")
		return
	}
	made, err := submitMany(ctx, c, c.tasks)
	if f.failed(err) {
		return
	}
	var state map[string][]string
	some, err := until(ctx, patience, func() (bool, error) {
		state, err = states(ctx, c, made)
		return len(state[running])+len(state[completed])+len(state[failed]) > 0, err
	})
	if f.failed(err) || !f.expect(some, "none of %d tasks started within %s", c.tasks, patience) {
		return
	}
	if len(state[waiting]) < 2 {
		f.skip("%d tasks leave none waiting; give more (-tasks), or longer jobs", c.tasks)
		return
	}
	f.note("%d tasks ran at once while %d waited", len(state[running]), len(state[waiting]))
	last := state[waiting][0] // the newest
	f.failed(c.remove(ctx, last))
	for _, id := range state[running] {
		f.failed(c.remove(ctx, id))
	}
	left := state[waiting][1:]
	started := time.Now()
	some, err = until(ctx, patience, func() (bool, error) {
		state, err = states(ctx, c, left)
		return len(state[waiting]) < len(left), err
	})
	if !f.failed(err) && f.expect(some, "none of %d waiting tasks started within %s of the deletion of the running ones", len(left), patience) {
		f.note("a waiting task started %.1f s after the running ones were deleted", time.Since(started).Seconds())
	}
	f.answers(ctx, c, http.StatusNotFound, http.MethodGet, "/task/"+last+"/status", "")
	for _, id := range left {
		f.failed(c.remove(ctx, id))
	}
}

// submitMany creates tasks, a few at a time.
func submitMany(ctx context.Context, c *client, n int) ([]string, error) {
	ids := make([]string, n)
	errs := make([]error, n)
	slots := make(chan struct{}, 4)
	var all sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			t, _, err := c.submit(ctx)
			ids[i], errs[i] = t.ID, err
		})
	}
	all.Wait()
	return ids, errors.Join(errs...)
}

// states sorts some tasks by their status, newest first.
func states(ctx context.Context, c *client, some []string) (map[string][]string, error) {
	tasks, _, err := c.list(ctx, "?limit=1000")
	state := map[string][]string{}
	for _, t := range tasks {
		if slices.Contains(some, t.ID) {
			state[t.Status] = append(state[t.Status], t.ID)
		}
	}
	return state, err
}

var resultText = regexp.MustCompile(`^io work result = \d+$`)

// watchEnding submits a task and watches it in the background. The returned check waits for its ending.
func watchEnding(ctx context.Context, c *client) func(context.Context, *client, *findings) {
	if c.wait == 0 {
		return func(_ context.Context, _ *client, f *findings) { f.skip("-wait is 0") }
	}
	var background findings
	var last task
	done := make(chan struct{})
	go func() {
		defer close(done)
		last = watch(ctx, c, &background)
	}()
	return func(ctx context.Context, c *client, f *findings) {
		<-done
		*f = background
		if last.ended() {
			ending(ctx, c, f, last)
		}
	}
}

// watch follows a task to its end and returns its last state.
func watch(ctx context.Context, c *client, f *findings) task {
	first, _, err := c.submit(ctx)
	if f.failed(err) {
		return first
	}
	last := task{Status: waiting}
	path := []string{waiting}
	ended, err := until(ctx, c.wait, func() (bool, error) {
		t, err := c.get(ctx, first.ID)
		if err != nil {
			return false, err
		}
		if t.Status != last.Status {
			path = append(path, t.Status)
		} else {
			f.expect(t.Duration >= last.Duration, "the duration went from %g to %g", last.Duration, t.Duration)
		}
		f.expect(t.CreatedAt == first.CreatedAt, "created_at went from %s to %s", first.CreatedAt, t.CreatedAt)
		f.expect(t.Status != waiting || t.Duration == 0, "the duration of a waiting task is %g", t.Duration)
		last = t
		return t.ended(), nil
	})
	last.ID = first.ID
	if !f.failed(err) && f.expect(ended, "the task did not end within %s; it is %q (give the jobs more time with -wait)", c.wait, last.Status) {
		f.note("%v after %g s", path, last.Duration)
	}
	return last
}

// ending checks that an ended task keeps its status, its duration, and its result or the lack of one.
func ending(ctx context.Context, c *client, f *findings, last task) {
	now, err := c.get(ctx, last.ID)
	if f.failed(err) {
		return
	}
	f.expect(now.Status == last.Status && now.Duration == last.Duration, "ended as %q after %g s, later %q after %g s",
		last.Status, last.Duration, now.Status, now.Duration)
	if last.Status == failed {
		f.answers(ctx, c, http.StatusConflict, http.MethodGet, "/task/"+last.ID+"/result", "")
		f.note("the job failed, so there was no result to read; run again to see one")
	} else {
		r, err := c.do(ctx, http.MethodGet, "/task/"+last.ID+"/result", "")
		var result struct{ Result string }
		if !f.failed(err) && !f.failed(r.decode(http.StatusOK, &result)) {
			f.expect(resultText.MatchString(result.Result) && slices.Equal(members(r.body), []string{"result"}), "%s; want a result", r)
		}
	}
	f.failed(c.remove(ctx, last.ID))
	f.answers(ctx, c, http.StatusNotFound, http.MethodGet, "/task/"+last.ID+"/status", "")
}
