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
		"marked":         {job.Retryable(reset, time.Minute), time.Minute, true},
		"wrapped":        {fmt.Errorf("fetch: %w", job.Retryable(reset, time.Second)), time.Second, true},
		"no wait":        {job.Retryable(reset, 0), 0, true},
		"a wait in past": {job.Retryable(reset, -time.Second), 0, true},
		"unmarked":       {reset, 0, false},
		"nil":            {nil, 0, false},
	} {
		if after, ok := job.RetryAfter(c.err); after != c.after || ok != c.ok {
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
