package runner_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/task"
)

func TestClaimWaitsForTheStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away     time.Duration
		returned bool
	}{"a restart": {4 * time.Second, false}, "an outage": {time.Hour, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := &store{claim: func() (int, error) {
					if time.Since(start) < c.away {
						return 0, task.ErrUnavailable
					}
					return 1, nil
				}}
				if back := handle(t.Context(), t, s, done, message()); (len(back) == 1) != c.returned {
					t.Errorf("returned to the queue: %v, want %t", back, c.returned)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("tried for %s, want 10s at most", took)
				}
			})
		})
	}
}

func TestStopEndsAClaimThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := runner.New(&store{claim: func() (int, error) { return 0, task.ErrUnavailable }}, &sent{}, work(done).job(),
			slog.New(slog.DiscardHandler), runner.Config{})
		go func() {
			_, _ = r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: message()}}})
		}()
		<-time.After(time.Second)
		r.Stop()
		if took := time.Since(start); took > time.Second+200*time.Millisecond {
			t.Errorf("the worker stopped after %s, want 200ms after the SIGTERM at 1s", took)
		}
	})
}

// TestLeaseIsCountedFromTheClaim checks that a lease begins with the request: the store may have granted it long before
// its answer arrives.
func TestLeaseIsCountedFromTheClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &store{
			claim:     func() (int, error) { <-time.After(5 * time.Second); return 1, nil },
			heartbeat: func() error { return task.ErrUnavailable },
		}
		handle(t.Context(), t, s, untilStopped, message())
		if took := time.Since(start); took != 9*time.Second {
			t.Errorf("the job was stopped %s after the claim was asked for, want 9s", took)
		}
	})
}
