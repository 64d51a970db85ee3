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

// batch is the store and the job of tasks that each end in a way of their own.
type batch struct {
	task.Store
	start time.Time

	mu     sync.Mutex
	events map[string][]string // by task: what was written of it, and when
}

func (b *batch) note(id uuid.UUID, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := name(id)
	b.events[name] = append(b.events[name], fmt.Sprintf("%s at %s", what, time.Since(b.start)))
}

var names = []string{"quick", "fails", "panics", "deleted", "held elsewhere", "store away", "slow", "too slow"}

func idOf(name string) uuid.UUID { return uuid.UUID{byte(1 + slices.Index(names, name))} }
func name(id uuid.UUID) string   { return names[id[0]-1] }

func (b *batch) Claim(_ context.Context, id uuid.UUID, _ time.Duration, _ int) (int, error) {
	switch name(id) {
	case "held elsewhere":
		return 0, task.ErrNotClaimable
	case "store away":
		return 0, task.ErrUnavailable
	}
	return int(id[0]), nil
}

func (b *batch) Heartbeat(_ context.Context, id uuid.UUID, attempt int, _ time.Duration) error {
	if attempt != int(id[0]) {
		return fmt.Errorf("heartbeat of %s with attempt %d", name(id), attempt)
	}
	if name(id) == "deleted" && time.Since(b.start) > 5*time.Second {
		b.note(id, "lease lost")
		return task.ErrLeaseLost
	}
	return nil
}

func (b *batch) Complete(_ context.Context, id uuid.UUID, attempt int, result json.RawMessage) error {
	b.note(id, fmt.Sprintf("attempt %d completed with %s", attempt, strings.Trim(string(result), `"`)))
	return nil
}

func (b *batch) Fail(_ context.Context, id uuid.UUID, attempt int, reason string) error {
	b.note(id, fmt.Sprintf("attempt %d failed: %s", attempt, reason))
	return nil
}

func (b *batch) work(ctx context.Context, t job.Task, _ struct{}) (string, error) {
	took := time.Second
	switch name(t.ID) {
	case "fails":
		return "", errors.New("no luck")
	case "panics":
		panic("boom")
	case "slow":
		took = 30 * time.Second
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

// TestTasksOfABatchRunSideBySide: each has a lease, a deadline and an ending of its own, and the invocation lasts as long
// as the slowest.
func TestTasksOfABatchRunSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &batch{start: time.Now(), events: map[string][]string{}}
		var event events.SQSEvent
		for _, name := range names {
			event.Records = append(event.Records, events.SQSMessage{MessageId: name, Body: `{"id":"` + idOf(name).String() + `"}`})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		response, err := runner.New(b, job.New("batch", b.work), slog.New(slog.DiscardHandler), runner.Config{}).Handle(ctx, event)
		if err != nil {
			t.Fatal(err)
		}
		if want := []events.SQSBatchItemFailure{{ItemIdentifier: "store away"}}; !slices.Equal(response.BatchItemFailures, want) {
			t.Errorf("returned to the queue %v, want %v", response.BatchItemFailures, want)
		}
		if took := time.Since(b.start); took != 50*time.Second {
			t.Errorf("the batch took %s, want the 50s of its slowest task", took)
		}
		want := map[string][]string{
			"quick":    {"attempt 1 completed with quick at 1s"},
			"fails":    {"attempt 2 failed: no luck at 0s"},
			"panics":   {"attempt 3 failed: job panicked: boom at 0s"},
			"deleted":  {"lease lost at 6s"},
			"slow":     {"attempt 7 completed with slow at 30s"},
			"too slow": {"attempt 8 failed: the job did not end before the function's time-out at 50s"},
		}
		for _, name := range names {
			if !slices.Equal(b.events[name], want[name]) {
				t.Errorf("%s: %q, want %q", name, b.events[name], want[name])
			}
		}
	})
}

// TestStopReleasesAWholeBatch: the environment ends, and every task that it ran is free for another.
func TestStopReleasesAWholeBatch(t *testing.T) {
	t.Parallel()
	s := &store{}
	started := make(chan struct{})
	r := runner.New(s, work(func(ctx context.Context) (string, error) {
		started <- struct{}{}
		return untilStopped(ctx)
	}).job(), slog.New(slog.DiscardHandler), runner.Config{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
			{MessageId: "a", Body: message()}, {MessageId: "b", Body: message()}, {MessageId: "c", Body: message()},
		}})
	}()
	for range 3 {
		<-started
	}
	r.Stop()
	<-ended
	released := slices.DeleteFunc(s.calls, func(call string) bool { return call != "release 1" })
	if len(released) != 3 {
		t.Errorf("%d tasks released, want 3", len(released))
	}
}
