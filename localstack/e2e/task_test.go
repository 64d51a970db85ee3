// Package e2e_test drives the whole local stack over HTTP, with the real template, the real functions and a real
// Postgres. Tests whose behaviour depends on the storage also use the internal store.
package e2e_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLifeOfATask(t *testing.T) { eachStorage(t, testLifeOfATask) }

func testLifeOfATask(t *testing.T, storage string) {
	s := start(t, t.TempDir(), "JobMinDuration=300ms JobMaxDuration=400ms JobFailureRate=0", "--storage", storage)
	if r := s.do("GET", "/task", ""); r.status != 200 || r.body != "[]" {
		t.Errorf("empty list: %d %s", r.status, r.body)
	}
	id := s.submit()
	s.until("the task to complete", 20*time.Second, func() bool { return s.status(id) == "completed" })
	if r := s.do("GET", "/task/"+id+"/result", ""); r.status != 200 || !regexp.MustCompile(`^{"result":"io work result = \d"}$`).MatchString(r.body) {
		t.Errorf("result: %d %s", r.status, r.body)
	}
	if r := s.do("DELETE", "/task/"+id, ""); r.status != 204 || r.body != "" {
		t.Errorf("delete: %d %s", r.status, r.body)
	}
	for _, path := range []string{"/task/" + id + "/status", "/task/" + id + "/result"} {
		if r := s.do("GET", path, ""); r.status != 404 || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s of a deleted task: %d %s", path, r.status, r.body)
		}
	}
	for path, want := range map[string]int{"/task/7/status": 400, "/nowhere": 403, "/debug/pprof/": 403, "/task?limit=x": 400, "/task?limit=%zz": 400, "/task/": 404} {
		if r := s.do("GET", path, ""); r.status != want || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("GET %s: %d %s %s, want %d", path, r.status, r.header.Get("Content-Type"), r.body, want)
		}
	}
	if r := s.do("POST", "/task", strings.Repeat(" ", 257<<10)); r.status != 413 {
		t.Errorf("large body: %d %s", r.status, r.body)
	}
	first, again := s.do("POST", "/task", "{}", "Idempotency-Key", "k"), s.do("POST", "/task", "{}", "Idempotency-Key", "k")
	if first.status != 201 || again.status != 201 || first.body != again.body {
		t.Errorf("same key: %d %s, then %d %s", first.status, first.body, again.status, again.body)
	}
	if r := s.do("POST", "/task", "", "Idempotency-Key", "k"); r.body != first.body {
		t.Errorf("same key, an empty body, which means the same: %d %s; want %s", r.status, r.body, first.body)
	}
	text := s.output()
	if strings.Contains(text, "pprof") {
		t.Errorf("profiles are served though nobody asked for them: %v", s.profiles())
	}
	for _, want := range []string{"START RequestId: ", "END RequestId: ", "REPORT RequestId: ", `"msg":"task completed"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log has no %q", want)
		}
	}
}

func TestSemaphore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		semaphore, tasks, most int // most is how many invocations of the worker the tasks take: one a permit, and few that the sweeper sends
		parameters, storage    string
	}{
		"one job in an environment":             {3, 12, 24, "Semaphore=3", "postgres"},
		"one job in an environment on internal": {3, 12, 24, "Semaphore=3", "internal"},
		"four jobs in an environment":           {8, 32, 64, "Semaphore=8 JobsPerInvocation=4 WorkerConcurrency=2", "postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, t.TempDir(), c.parameters+" JobMinDuration=700ms JobMaxDuration=900ms JobFailureRate=0", "--storage", c.storage)
			for range c.tasks {
				s.submit()
			}
			full := false
			s.until("all tasks to complete", time.Minute, func() bool {
				running := s.count("running")
				if running > c.semaphore {
					t.Fatalf("%d tasks run at once, the semaphore is %d", running, c.semaphore)
				}
				full = full || running == c.semaphore
				return s.count("completed") == c.tasks
			})
			if !full {
				t.Errorf("never saw %d tasks run at once", c.semaphore)
			}
			if got := len(s.billed("WorkerFunction")); got == 0 || got > c.most {
				t.Errorf("the worker was invoked %d times, want 1 to %d", got, c.most)
			}
		})
	}
}

func TestCancelFreesTheSlot(t *testing.T) { eachStorage(t, testCancelFreesTheSlot) }

func testCancelFreesTheSlot(t *testing.T, storage string) {
	s := start(t, t.TempDir(), "Semaphore=2 JobMinDuration=4m JobMaxDuration=5m", "--storage", storage)
	first, second := s.submit(), s.submit()
	s.until("both to run", 20*time.Second, func() bool { return s.count("running") == 2 })
	waiting, next := s.submit(), s.submit()
	if r := s.do("DELETE", "/task/"+waiting, ""); r.status != 204 {
		t.Fatalf("delete a waiting task: %d %s", r.status, r.body)
	}
	if r := s.do("DELETE", "/task/"+first, ""); r.status != 204 {
		t.Fatalf("delete a running task: %d %s", r.status, r.body)
	}
	s.until("the slot to be free for the next task", 15*time.Second, func() bool { return s.status(next) == "in process" })
	if got := s.status(second); got != "in process" {
		t.Errorf("the other task is %q", got)
	}
}

func TestRestartKeepsTasks(t *testing.T) { eachStorage(t, testRestartKeepsTasks) }

func testRestartKeepsTasks(t *testing.T, storage string) {
	data := t.TempDir()
	s := start(t, data, "Semaphore=2 JobMinDuration=4m JobMaxDuration=5m", "--storage", storage)
	running := []string{s.submit(), s.submit()}
	s.until("both to run", 20*time.Second, func() bool { return s.count("running") == 2 })
	waiting := []string{s.submit(), s.submit(), s.submit()}
	if err := s.stop(); err != nil {
		t.Errorf("the stack ended with %v", err)
	}
	s = start(t, data, "Semaphore=2 JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0", "--storage", storage)
	// The running tasks were given back, and their messages are visible again, so no task waits for a sweep.
	s.until("the tasks to complete", 30*time.Second, func() bool {
		for _, id := range append(running, waiting...) {
			if s.status(id) != "completed" {
				return false
			}
		}
		return true
	})
}
