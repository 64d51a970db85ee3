package job_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
)

func TestRetryable(t *testing.T) {
	t.Parallel()
	reset := errors.New("connection reset")
	for name, c := range map[string]struct {
		err   error
		after time.Duration
		ok    bool
	}{
		"marked":   {job.Retryable(reset, time.Minute), time.Minute, true},
		"wrapped":  {fmt.Errorf("fetch: %w", job.Retryable(reset, time.Second)), time.Second, true},
		"unmarked": {reset, 0, false},
		"nil":      {nil, 0, false},
	} {
		if after, ok := job.RetryAfter(c.err, 7); after != c.after || ok != c.ok {
			t.Errorf("%s: RetryAfter = %s, %t; want %s, %t", name, after, ok, c.after, c.ok)
		}
	}
	if err := job.Retryable(reset, 0); err.Error() != reset.Error() || !errors.Is(err, reset) {
		t.Errorf("the mark changes the error to %v", err)
	}
	if err := job.Retryable(nil, time.Second); err != nil {
		t.Errorf("Retryable(nil) = %v", err)
	}
}

func TestBackoffDoublesAndHasJitter(t *testing.T) {
	t.Parallel()
	for attempt, longest := range map[int]time.Duration{
		0: 5 * time.Second, 1: 5 * time.Second, 2: 10 * time.Second, 5: 80 * time.Second, 8: 640 * time.Second,
		9: 15 * time.Minute, 100: 15 * time.Minute,
	} {
		seen := map[time.Duration]bool{}
		for range 200 {
			wait, ok := job.RetryAfter(job.Retryable(errors.New("reset"), 0), attempt)
			if !ok || wait < longest/2 || wait > longest {
				t.Fatalf("attempt %d: wait %s, %t; want %s to %s", attempt, wait, ok, longest/2, longest)
			}
			seen[wait] = true
		}
		if len(seen) < 100 {
			t.Errorf("attempt %d: 200 waits have %d values, want them spread", attempt, len(seen))
		}
	}
}
