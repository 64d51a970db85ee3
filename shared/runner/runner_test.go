package runner_test

import (
	"bytes"
	"cmp"
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

// store has one task. A test scripts its answers. It records calls in order, except claims that find nothing because
// the task has been claimed.
type store struct {
	task.Attempts
	task      task.Task // beside what a claim needs
	claim     func() (int, error)
	heartbeat func() error
	finish    func() error

	mu      sync.Mutex
	claimed bool
	calls   []string
	last    *task.Progress // that an ending stored
}

// sent are the permits that a runner has sent.
type sent struct {
	mu      sync.Mutex
	permits []task.Permit
}

func (q *sent) Send(_ context.Context, permits ...task.Permit) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.permits = append(q.permits, permits...)
	return nil
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

func (s *store) Claim(ctx context.Context, rules task.ClaimRules) (task.Task, error) {
	if s.isClaimed() {
		return task.Task{}, task.ErrNothingToClaim
	}
	s.called("claim %s", rules.Lease)
	attempt, err := 1, error(nil)
	if s.claim != nil {
		if attempt, err = s.claim(); err == nil {
			err = ctx.Err()
		}
	}
	if err != nil {
		return task.Task{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claimed = true
	t := s.task
	t.ID, t.Attempt = id, attempt
	t.Type = cmp.Or(t.Type, "work")
	return t, nil
}

func (s *store) isClaimed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claimed
}

func (s *store) Load(context.Context, int) (task.Load, error) { return task.Load{}, nil }

func (s *store) Heartbeat(_ context.Context, _ uuid.UUID, attempt int, lease time.Duration, progress *task.Progress) error {
	if progress != nil {
		s.called("heartbeat %d %s, %d of %d %s", attempt, lease, progress.Done, progress.Total, progress.Note)
	} else {
		s.called("heartbeat %d %s", attempt, lease)
	}
	return answer(s.heartbeat)
}

func (s *store) keep(progress *task.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = progress
}

func (s *store) Complete(_ context.Context, _ uuid.UUID, attempt int, result json.RawMessage, progress *task.Progress) error {
	s.keep(progress)
	s.called("complete %d %s", attempt, strings.Trim(string(result), `"`))
	return answer(s.finish)
}

func (s *store) Fail(_ context.Context, _ uuid.UUID, attempt int, reason string, progress *task.Progress) error {
	s.keep(progress)
	s.called("fail %d %s", attempt, reason)
	return answer(s.finish)
}

func (s *store) Requeue(_ context.Context, _ uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int, progress *task.Progress) (bool, error) {
	s.keep(progress)
	s.called("retry %d %s after %s", attempt, reason, after)
	return attempt < maxAttempts, answer(s.finish)
}

func (s *store) Release(_ context.Context, _ uuid.UUID, attempt int, after time.Duration) error {
	s.called("release %d for %s", attempt, after)
	return answer(s.finish)
}

// onePermit is an event with one message.
var onePermit = events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m"}}}

type work func(ctx context.Context) (string, error)

func (w work) job() job.Catalogue { return job.NewCatalogue(w.with()) }

func (w work) with(options ...job.Option) *job.Job {
	return job.New("work", func(ctx context.Context, _ job.Task, _ struct{}) (string, error) { return w(ctx) }, options...)
}

func done(context.Context) (string, error) { return "yes", nil }

func untilStopped(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", errors.New("interrupted")
}

// handle passes one message to a runner and returns the messages that go back to the queue.
func handle(ctx context.Context, t *testing.T, s *store, w work, bodies ...string) []string {
	t.Helper()
	var event events.SQSEvent
	for i, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i), Body: body})
	}
	response, err := runner.New(s, &sent{}, w.job(), slog.New(slog.DiscardHandler), runner.Config{}).Handle(ctx, event)
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
		"completed": {&store{}, done, false, []string{"claim 9s", "complete 1 yes"}},
		"failed": {
			&store{}, func(context.Context) (string, error) { return "", errors.New("no luck") }, false,
			[]string{"claim 9s", "fail 1 no luck"},
		},
		"later attempt": {
			&store{claim: func() (int, error) { return 3, nil }}, done, false,
			[]string{"claim 9s", "complete 3 yes"},
		},
		"superfluous": {
			&store{claim: func() (int, error) { return 0, task.ErrNothingToClaim }}, done, false,
			[]string{"claim 9s"},
		},
		"claim refused": {
			&store{claim: func() (int, error) { return 0, errors.New("disk full") }}, done, true,
			[]string{"claim 9s"},
		},
		"worth another attempt": {
			&store{}, func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), time.Minute) }, false,
			[]string{"claim 9s", "retry 1 reset after 1m0s"},
		},
		"worth another attempt, and deleted": {
			&store{finish: fails(task.ErrLeaseLost)},
			func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), time.Second) }, false,
			[]string{"claim 9s", "retry 1 reset after 1s"},
		},
		"stopped, whatever it says": {
			&store{heartbeat: fails(task.ErrLeaseLost)}, func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", job.Retryable(ctx.Err(), 0)
			}, false, []string{"claim 9s", "heartbeat 1 9s"},
		},
		"deleted before the ending": {&store{finish: fails(task.ErrLeaseLost)}, done, false, []string{"claim 9s", "complete 1 yes"}},
		"ending refused":            {&store{finish: fails(errors.New("disk full"))}, done, false, []string{"claim 9s", "complete 1 yes"}},
		"deleted while running": {
			&store{heartbeat: fails(task.ErrLeaseLost)}, untilStopped, false,
			[]string{"claim 9s", "heartbeat 1 9s"},
		},
		"store away for a whole lease": {
			&store{heartbeat: fails(away)}, untilStopped, false,
			[]string{"claim 9s", "heartbeat 1 9s", "heartbeat 1 9s"},
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
		want := slices.Concat([]string{"claim 9s"}, slices.Repeat([]string{"heartbeat 1 9s"}, 20), []string{"complete 1 late"})
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

// TestEveryMessageIsAPermit checks that the body of a message does not matter, since workers of any version may have
// sent it.
func TestEveryMessageIsAPermit(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "7", "null", `{"id":"x"}`, `{"id":7}`, `{}`, strings.Repeat("x", 1<<16), message()} {
		s := &store{}
		if back := handle(t.Context(), t, s, done, body); back != nil {
			t.Errorf("returned to the queue: %v", back)
		}
		if want := []string{"claim 9s", "complete 1 yes"}; !slices.Equal(s.calls, want) {
			t.Errorf("body %.20q: calls %q, want %q", body, s.calls, want)
		}
	}
}

func TestProgressRidesOnTheHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := true
		s := &store{heartbeat: func() error {
			if lost {
				lost = false
				return task.ErrUnavailable
			}
			return nil
		}}
		handle(t.Context(), t, s, func(ctx context.Context) (string, error) {
			job.Progress(ctx, 1, 9, "one")
			job.Progress(ctx, 2, 9, "two")
			<-time.After(10 * time.Second)
			return "yes", nil
		}, message())
		want := []string{"claim 9s", "heartbeat 1 9s, 2 of 9 two", "heartbeat 1 9s, 2 of 9 two", "heartbeat 1 9s", "complete 1 yes"}
		if !slices.Equal(s.calls, want) {
			t.Errorf("calls %q, want %q", s.calls, want)
		}
	})
}

// TestEndingStoresTheLastProgress checks that no report is lost that came after the last heartbeat, whatever the ending.
func TestEndingStoresTheLastProgress(t *testing.T) {
	t.Parallel()
	failure := errors.New("no luck")
	for name, end := range map[string]error{"completed": nil, "failed": failure, "requeued": job.Retryable(failure, time.Second)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &store{}
				handle(t.Context(), t, s, func(ctx context.Context) (string, error) {
					job.Progress(ctx, 1, 9, "before the heartbeat")
					<-time.After(4 * time.Second)
					job.Progress(ctx, 9, 9, "after it")
					return "yes", end
				}, message())
				if want := (task.Progress{Done: 9, Total: 9, Note: "after it"}); s.last == nil || *s.last != want {
					t.Errorf("the ending stored %+v, want %+v", s.last, want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		handle(t.Context(), t, s, func(ctx context.Context) (string, error) {
			job.Progress(ctx, 1, 9, "before the heartbeat")
			<-time.After(4 * time.Second)
			return "yes", nil
		}, message())
		if s.last != nil {
			t.Errorf("the ending stored %+v again", *s.last)
		}
	})
}

// TestTimeouts checks that the shorter of the job's and the task's time-outs ends an attempt.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ job, task, want time.Duration }{
		"of the job":       {20 * time.Second, 0, 20 * time.Second},
		"of the task":      {20 * time.Second, 10 * time.Second, 10 * time.Second},
		"no longer a task": {20 * time.Second, time.Minute, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &store{task: task.Task{Submission: task.Submission{Timeout: c.task}}}
				j := work(untilStopped).with(job.Timeout(c.job))
				start := time.Now()
				if _, err := runner.New(s, &sent{}, job.NewCatalogue(j), slog.New(slog.DiscardHandler), runner.Config{}).Handle(t.Context(), onePermit); err != nil {
					t.Fatal(err)
				}
				last := s.calls[len(s.calls)-1]
				if took := time.Since(start); took != c.want || last != "fail 1 the job did not end within its time-out of "+c.want.String() {
					t.Errorf("ended after %s with %q", took, last)
				}
			})
		})
	}
}

// TestARetryHasItsPermit checks that a permit is delayed until the task is due, and that the sweeper sends the permit
// of a longer wait.
func TestARetryHasItsPermit(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]int{7 * time.Second: 1, task.MaxDelay: 1, task.MaxDelay + time.Second: 0} {
		s, q := &store{task: task.Task{Submission: task.Submission{FairnessKey: "k", Trace: "Root=1-5-7"}}}, &sent{}
		fails := work(func(context.Context) (string, error) { return "", job.Retryable(errors.New("reset"), after) })
		if _, err := runner.New(s, q, fails.job(), slog.New(slog.DiscardHandler), runner.Config{}).Handle(t.Context(), onePermit); err != nil {
			t.Fatal(err)
		}
		if len(q.permits) != want || want == 1 && q.permits[0] != (task.Permit{Task: id, FairnessKey: "k", Delay: after, Trace: "Root=1-5-7"}) {
			t.Errorf("after %s: permits %+v", after, q.permits)
		}
	}
}

// TestUnknownTypes checks that a new task is left to workers of another version, and that an old one fails.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age  time.Duration
		want string
	}{
		"new": {time.Minute, "release 1 for 30s"},
		"old": {time.Hour, `fail 1 job "later" is unknown; known are: work`},
	} {
		s, q := &store{task: task.Task{CreatedAt: time.Now().Add(-c.age), Submission: task.Submission{Type: "later"}}}, &sent{}
		if _, err := runner.New(s, q, work(done).job(), slog.New(slog.DiscardHandler), runner.Config{}).Handle(t.Context(), onePermit); err != nil {
			t.Fatal(err)
		}
		if want := []string{"claim 9s", c.want}; !slices.Equal(s.calls, want) || (len(q.permits) == 1) != (name == "new") {
			t.Errorf("%s: calls %q, permits %+v; want %q", name, s.calls, q.permits, want)
		}
	}
}

func TestAPanicIsTheJobsFailure(t *testing.T) {
	t.Parallel()
	s := &store{}
	var out bytes.Buffer
	r := runner.New(s, &sent{}, work(func(context.Context) (string, error) { panic("boom") }).job(), slog.New(slog.NewJSONHandler(&out, nil)), runner.Config{})
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
