package logging

import (
	"context"
	"testing"
	"time"
)

// TestFlushLeavesTheAnswerItsTime checks that a flush ends before the function's own time-out, and outlives the
// invocation's context.
func TestFlushLeavesTheAnswerItsTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct{ flushTimeout, timeout, want time.Duration }{
		"the time-out is near": {time.Minute, 2 * time.Second, 2*time.Second - spare},
		"the time-out is far":  {time.Minute, time.Hour, time.Minute},
	} {
		f := flushing{log: &Logger{flushTimeout: test.flushTimeout}}
		invocation, end := context.WithDeadline(context.Background(), now.Add(test.timeout))
		ctx, cancel := f.budget(invocation)
		end()
		until, _ := ctx.Deadline()
		// The minute allows for a machine that pauses between two lines.
		if got := until.Sub(now); got < test.want || got > test.want+time.Minute || until.After(now.Add(test.timeout-spare)) {
			t.Errorf("%s: the flush has %s; want %s", name, got, test.want)
		}
		if err := ctx.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
