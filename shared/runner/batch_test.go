package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/task"
)

// batch is a store of tasks with different endings. It counts how many run at once.
type batch struct {
	task.Attempts
	start time.Time

	mu     sync.Mutex
	wait   []string            // names of the waiting tasks
	events map[string][]string // by task: what was written, and when
	rules  []task.ClaimRules

	running, most int
}

func newBatch(names ...string) *batch {
	return &batch{start: time.Now(), events: map[string][]string{}, wait: names}
}

func (b *batch) note(id uuid.UUID, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := name(id)
	b.events[name] = append(b.events[name], fmt.Sprintf("%s at %s", what, time.Since(b.start)))
}

var names = []string{"quick", "fails", "panics", "deleted", "slow", "too slow", "second", "minutes"}

func idOf(name string) uuid.UUID { return uuid.UUID{byte(1 + slices.Index(names, name))} }
func name(id uuid.UUID) string   { return names[id[0]-1] }

func (b *batch) Claim(_ context.Context, rules task.ClaimRules) (task.Task, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules = append(b.rules, rules)
	if len(b.wait) == 0 || rules.Limits["batch"].Closed {
		return task.Task{}, task.ErrNothingToClaim
	}
	next := b.wait[0]
	b.wait = b.wait[1:]
	if next == "store away" {
		return task.Task{}, errors.New("disk full")
	}
	id := idOf(next)
	return task.Task{ID: id, Attempt: int(id[0]), Submission: task.Submission{Type: "batch"}}, nil
}

func (b *batch) Load(context.Context, int) (task.Load, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return task.Load{Waiting: len(b.wait), Running: b.running}, nil
}

func (b *batch) Heartbeat(_ context.Context, id uuid.UUID, attempt int, _ time.Duration, _ *task.Progress) error {
	if attempt != int(id[0]) {
		return fmt.Errorf("heartbeat of %s with attempt %d", name(id), attempt)
	}
	if name(id) == "deleted" && time.Since(b.start) > 5*time.Second {
		b.note(id, "lease lost")
		return task.ErrLeaseLost
	}
	return nil
}

func (b *batch) Complete(_ context.Context, id uuid.UUID, attempt int, result json.RawMessage, _ *task.Progress) error {
	b.note(id, fmt.Sprintf("attempt %d completed with %s", attempt, strings.Trim(string(result), `"`)))
	return nil
}

func (b *batch) Fail(_ context.Context, id uuid.UUID, attempt int, reason string, _ *task.Progress) error {
	b.note(id, fmt.Sprintf("attempt %d failed: %s", attempt, reason))
	return nil
}

func (b *batch) work(ctx context.Context, t job.Task, _ struct{}) (string, error) {
	b.mu.Lock()
	b.running++
	b.most = max(b.most, b.running)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.running--
		b.mu.Unlock()
	}()
	took := time.Second
	switch name(t.ID) {
	case "fails":
		return "", errors.New("no luck")
	case "panics":
		panic("boom")
	case "slow":
		took = 30 * time.Second
	case "minutes":
		took = 4 * time.Minute
	case "deleted", "too slow":
		took = time.Hour
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(took):
		return name(t.ID), nil
	}
}

// handle passes n permits to a runner in a function with a time-out. It returns the failed permits and the sent ones.
func (b *batch) handle(t *testing.T, slots, n int, timeout time.Duration, options ...job.Option) ([]events.SQSBatchItemFailure, []task.Permit) {
	t.Helper()
	var event events.SQSEvent
	for i := range n {
		event.Records = append(event.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i)})
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	q := &sent{}
	jobs := job.NewCatalogue(job.New("batch", b.work, options...))
	response, err := runner.New(b, q, jobs, slog.New(slog.DiscardHandler), runner.Config{Slots: slots}).Handle(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	if b.most > slots {
		t.Errorf("%d tasks ran at once in %d slots", b.most, slots)
	}
	return response.BatchItemFailures, q.permits
}

// TestOnePermitFillsAllSlots checks that each task has its own lease, deadline and ending, and that the invocation
// lasts as long as the slowest.
func TestOnePermitFillsAllSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tasks := []string{"quick", "fails", "panics", "deleted", "slow", "too slow"}
		b := newBatch(tasks...)
		if back, permits := b.handle(t, 10, 1, time.Minute); back != nil || permits != nil {
			t.Errorf("returned to the queue %v, sent %v", back, permits)
		}
		if took := time.Since(b.start); took != 50*time.Second {
			t.Errorf("the batch took %s, want the 50s of its slowest task", took)
		}
		want := map[string][]string{
			"quick":    {"attempt 1 completed with quick at 1s"},
			"fails":    {"attempt 2 failed: no luck at 0s"},
			"panics":   {"attempt 3 failed: job panicked: boom at 0s"},
			"deleted":  {"lease lost at 6s"},
			"slow":     {"attempt 5 completed with slow at 30s"},
			"too slow": {"attempt 6 failed: the job did not end before the function's time-out at 50s"},
		}
		for _, name := range tasks {
			if !slices.Equal(b.events[name], want[name]) {
				t.Errorf("%s: %q, want %q", name, b.events[name], want[name])
			}
		}
	})
}

// TestSlotsAreRefilled checks that a slow job occupies only its own slot.
func TestSlotsAreRefilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tasks := []string{"slow"}
		for range 29 {
			tasks = append(tasks, "second")
		}
		b := newBatch(tasks...)
		b.handle(t, 2, 1, 15*time.Minute, job.Timeout(time.Minute))
		if took := time.Since(b.start); took != 30*time.Second {
			t.Errorf("30 tasks took %s in two slots, want the 30s of the slow one", took)
		}
		if n := len(b.events["second"]); n != 29 || b.most != 2 {
			t.Errorf("%d quick tasks ended, at most %d at once", n, b.most)
		}
	})
}

// TestIdleSlotsOfABusyEnvironmentLook checks that a task starts within a heartbeat in an idle slot of an environment whose
// other slot is busy: no permit reaches it while all environments are.
func TestIdleSlotsOfABusyEnvironmentLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBatch("minutes")
		time.AfterFunc(4*time.Second, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.wait = append(b.wait, "store away", "quick")
		})
		back, permits := b.handle(t, 2, 1, 15*time.Minute, job.Timeout(5*time.Minute))
		if want := []string{"attempt 1 completed with quick at 10s"}; !slices.Equal(b.events["quick"], want) {
			t.Errorf("quick: %q, want %q", b.events["quick"], want)
		}
		if time.Since(b.start) != 4*time.Minute || back != nil || permits != nil {
			t.Errorf("ended after %s, returned to the queue %v, sent %v", time.Since(b.start), back, permits)
		}
	})
}

// TestNoTimeForAnotherJob checks that a slot sends a permit if tasks wait and its function ends too soon for another
// job.
func TestNoTimeForAnotherJob(t *testing.T) {
	t.Parallel()
	for left, wait := range []int{6, 7} {
		synctest.Test(t, func(t *testing.T) {
			b := newBatch(slices.Repeat([]string{"minutes"}, wait)...)
			_, permits := b.handle(t, 2, 2, 15*time.Minute, job.Timeout(5*time.Minute))
			if n := len(b.events["minutes"]); n != 6 || time.Since(b.start) != 12*time.Minute {
				t.Errorf("%d tasks ended in %s, want 6 in 12m", n, time.Since(b.start))
			}
			if len(permits) != 2*left || len(b.wait) != left {
				t.Errorf("%d wait, and %d permits were sent", len(b.wait), len(permits))
			}
		})
	}
}

// TestLimitsReachTheClaim checks that the claim gets the limits of jobs and configuration.
func TestLimitsReachTheClaim(t *testing.T) {
	t.Parallel()
	b := newBatch()
	q := &sent{}
	jobs := job.NewCatalogue(job.New("batch", b.work, job.MaxRunning(7), job.MaxRunningPerKey(2)), job.New("other", b.work))
	weights := map[string]float64{"gold": 3}
	r := runner.New(b, q, jobs, slog.New(slog.DiscardHandler), runner.Config{Weights: weights, Lease: time.Minute})
	if _, err := r.Handle(t.Context(), onePermit); err != nil {
		t.Fatal(err)
	}
	got := b.rules[0]
	if got.Limits["batch"] != (task.Limit{MaxRunning: 7, MaxRunningPerKey: 2}) || got.Limits["other"] != (task.Limit{}) || got.Weights["gold"] != 3 || got.Lease != time.Minute {
		t.Errorf("claimed by %+v", got)
	}
}

// TestFailedClaimsReturnTheirPermits checks that SQS redelivers the permits of failed claims, and that the other slots
// go on.
func TestFailedClaimsReturnTheirPermits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBatch("store away", "quick", "quick")
		back, _ := b.handle(t, 4, 3, time.Minute)
		if len(back) != 1 || len(b.events["quick"]) != 2 {
			t.Errorf("returned to the queue %v, ended %v", back, b.events)
		}
	})
}

// TestStopReleasesAWholeBatch checks that every task of an ending environment is free for another.
func TestStopReleasesAWholeBatch(t *testing.T) {
	t.Parallel()
	b := &releases{batch: newBatch("slow", "too slow", "deleted")}
	q := &sent{}
	started := make(chan struct{})
	jobs := job.NewCatalogue(job.New("batch", func(ctx context.Context, _ job.Task, _ struct{}) (string, error) {
		started <- struct{}{}
		return untilStopped(ctx)
	}))
	r := runner.New(b, q, jobs, slog.New(slog.DiscardHandler), runner.Config{Slots: 3})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.Handle(t.Context(), onePermit)
	}()
	for range 3 {
		<-started
	}
	r.Stop()
	<-ended
	if b.released != 3 || len(q.permits) != 3 {
		t.Errorf("%d tasks released, permits %v; want 3 of each", b.released, q.permits)
	}
}

type releases struct {
	*batch
	released int
}

func (r *releases) Release(context.Context, uuid.UUID, int, time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released++
	return nil
}
