package runner_test

import (
	"bytes"
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

var id = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")

// store is a task.Store whose answers a test scripts; calls are written down in order.
type store struct {
	task.Store
	claim     func() (int, error)
	heartbeat func() error
	finish    func() error

	mu    sync.Mutex
	calls []string
}

func (s *store) called(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func answer(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (s *store) Claim(_ context.Context, got uuid.UUID, lease time.Duration, _ int) (int, error) {
	s.called("claim %t %s", got == id, lease)
	if s.claim == nil {
		return 1, nil
	}
	return s.claim()
}

func (s *store) Heartbeat(ctx context.Context, _ uuid.UUID, attempt int, lease time.Duration) error {
	s.called("heartbeat %d %s", attempt, lease)
	return answer(s.heartbeat)
}

func (s *store) Complete(_ context.Context, _ uuid.UUID, attempt int, result json.RawMessage) error {
	s.called("complete %d %s", attempt, strings.Trim(string(result), `"`))
	return answer(s.finish)
}

func (s *store) Fail(_ context.Context, _ uuid.UUID, attempt int, reason string) error {
	s.called("fail %d %s", attempt, reason)
	return answer(s.finish)
}

func (s *store) Requeue(_ context.Context, _ uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int) (bool, error) {
	s.called("retry %d %s after %s", attempt, reason, after)
	return attempt < maxAttempts, answer(s.finish)
}

func (s *store) Release(_ context.Context, _ uuid.UUID, attempt int) error {
	s.called("release %d", attempt)
	return answer(s.finish)
}

type work func(ctx context.Context) (string, error)

func (w work) job() *job.Job {
	return job.New("work", func(ctx context.Context, _ job.Task, _ struct{}) (string, error) { return w(ctx) })
}

func done(context.Context) (string, error) { return "yes", nil }

func untilStopped(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", errors.New("interrupted")
}

// handle gives one message to a runner and returns the messages that go back to the queue.
func handle(ctx context.Context, t *testing.T, s *store, w work, bodies ...string) []string {
	t.Helper()
	var event events.SQSEvent
	for i, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i), Body: body})
	}
	response, err := runner.New(s, w.job(), slog.New(slog.DiscardHandler), runner.Config{}).Handle(ctx, event)
	if err != nil {
		t.Fatalf("the handler failed: %v", err)
	}
	var back []string
	for _, f := range response.BatchItemFailures {
		back = append(back, f.ItemIdentifier)
	}
	return back
}

func message() string { return `{"id":"` + id.String() + `"}` }

func TestOneMessage(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("connect: %w", task.ErrUnavailable)
	fails := func(err error) func() error { return func() error { return err } }
	for name, c := range map[string]struct {
		store    *store
		work     work
		returned bool
		calls    []string
	}{
		"completed": {&store{}, done, false, []string{"claim true 9s", "complete 1 yes"}},
		"failed": {
			&store{}, func(context.Context) (string, error) { return "", errors.New("no luck") }, false,
			[]string{"claim true 9s", "fail 1 no luck"},
		},
		"later attempt": {
			&store{claim: func() (int, error) { return 3, nil }}, done, false,
			[]string{"claim true 9s", "complete 3 yes"},
		},
		"duplicate": {
			&store{claim: func() (int, error) { return 0, task.ErrNotClaimable }}, done, false,
			[]string{"claim true 9s"},
		},
		"claim refused": {
			&store{claim: func() (int, error) { return 0, errors.New("disk full") }}, done, true,
			[]string{"claim true 9s"},
		},
		"worth another attempt": {
			&store{}, func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), time.Minute) }, false,
			[]string{"claim true 9s", "retry 1 reset after 1m0s"},
		},
		"worth another attempt, and deleted": {
			&store{finish: fails(task.ErrLeaseLost)},
			func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), time.Second) }, false,
			[]string{"claim true 9s", "retry 1 reset after 1s"},
		},
		"stopped, whatever it says": {
			&store{heartbeat: fails(task.ErrLeaseLost)}, func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", job.Retryable(ctx.Err(), 0)
			}, false, []string{"claim true 9s", "heartbeat 1 9s"},
		},
		"deleted before the ending": {&store{finish: fails(task.ErrLeaseLost)}, done, false, []string{"claim true 9s", "complete 1 yes"}},
		"ending refused":            {&store{finish: fails(errors.New("disk full"))}, done, true, []string{"claim true 9s", "complete 1 yes"}},
		"deleted while running": {
			&store{heartbeat: fails(task.ErrLeaseLost)}, untilStopped, false,
			[]string{"claim true 9s", "heartbeat 1 9s"},
		},
		"store away for a whole lease": {
			&store{heartbeat: fails(away)}, untilStopped, false,
			[]string{"claim true 9s", "heartbeat 1 9s", "heartbeat 1 9s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				back := handle(t.Context(), t, c.store, c.work, message())
				if (len(back) == 1) != c.returned {
					t.Errorf("returned to the queue: %v, want %t", back, c.returned)
				}
				if !slices.Equal(c.store.calls, c.calls) {
					t.Errorf("calls %q, want %q", c.store.calls, c.calls)
				}
			})
		})
	}
}

func TestLeaseIsKeptWhileTheJobRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		handle(t.Context(), t, s, func(context.Context) (string, error) {
			<-time.After(time.Minute + time.Second)
			return "late", nil
		}, message())
		want := slices.Concat([]string{"claim true 9s"}, slices.Repeat([]string{"heartbeat 1 9s"}, 20), []string{"complete 1 late"})
		if !slices.Equal(s.calls, want) {
			t.Errorf("calls %q, want %q", s.calls, want)
		}
	})
}

func TestJobEndsBeforeTheFunction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := &store{}
		start := time.Now()
		if back := handle(ctx, t, s, untilStopped, message()); back != nil {
			t.Errorf("returned to the queue: %v", back)
		}
		if took := time.Since(start); took != 50*time.Second {
			t.Errorf("the job ran %s, want 50s of the function's minute", took)
		}
		if last := s.calls[len(s.calls)-1]; last != "fail 1 the job did not end before the function's time-out" {
			t.Errorf("last call %q", last)
		}
	})
}

func TestEndingWaitsForTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(4 * time.Second)
		s := &store{finish: func() error {
			if time.Now().Before(back) {
				return task.ErrUnavailable
			}
			return nil
		}}
		if returned := handle(t.Context(), t, s, done, message()); returned != nil {
			t.Errorf("returned to the queue: %v", returned)
		}
		if n := len(s.calls); n < 4 || n > 12 {
			t.Errorf("%d calls in 4 s, want a few: %q", n, s.calls)
		}
	})
}

func TestRetryThatTheStoreMissesIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &store{finish: func() error {
			if time.Since(start) < 3*time.Second {
				return task.ErrUnavailable
			}
			return nil
		}}
		handle(t.Context(), t, s, func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), time.Second) }, message())
		if len(s.calls) < 3 {
			t.Errorf("calls %q; want the claim and several tries to retry", s.calls)
		}
		for _, call := range s.calls[1:] {
			if call != "retry 1 reset after 1s" {
				t.Errorf("called %q", call)
			}
		}
	})
}

func TestEndingThatCannotBeWrittenReturnsTheMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := &store{finish: func() error { return task.ErrUnavailable }}
		if back := handle(ctx, t, s, done, message()); len(back) != 1 {
			t.Errorf("returned to the queue: %v, want the message", back)
		}
	})
}

func TestMalformedMessagesAreDropped(t *testing.T) {
	t.Parallel()
	s := &store{}
	bodies := []string{"", "{", "7", "null", `{"id":"x"}`, `{"id":7}`, `{}`, strings.Repeat("x", 1<<16), message()}
	if back := handle(t.Context(), t, s, done, bodies...); back != nil {
		t.Errorf("returned to the queue: %v", back)
	}
	if want := []string{"claim true 9s", "complete 1 yes"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls %q, want those of the good message alone: %q", s.calls, want)
	}
}

func TestAPanicIsTheJobsFailure(t *testing.T) {
	t.Parallel()
	s := &store{}
	var out bytes.Buffer
	r := runner.New(s, work(func(context.Context) (string, error) { panic("boom") }).job(), slog.New(slog.NewJSONHandler(&out, nil)), runner.Config{})
	answer, err := r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{Body: message()}}})
	if err != nil || len(answer.BatchItemFailures) != 0 {
		t.Errorf("answer %+v, %v", answer, err)
	}
	if !strings.Contains(out.String(), `"panic":"boom","stack":"goroutine `) {
		t.Errorf("the log has no stack:\n%s", &out)
	}
	if want := "fail 1 job panicked: boom"; len(s.calls) != 2 || s.calls[1] != want {
		t.Errorf("calls %q, want %q at the end", s.calls, want)
	}
}
