package jobtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/jobtest"
)

func TestRunGivesTheTaskAndKeepsTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := job.New("slow", func(ctx context.Context, task job.Task, _ struct{}) (int, error) {
			if deadline, _ := ctx.Deadline(); !task.Deadline.Equal(deadline) || task.Attempt != 3 {
				t.Errorf("task %+v under the deadline %s", task, deadline)
			}
			<-ctx.Done()
			return 0, job.Retryable(ctx.Err(), time.Minute)
		}, job.Timeout(5*time.Second))
		began := time.Now()
		_, err := jobtest.Run[int](t.Context(), slow, struct{}{}, func(t *job.Task) { t.Attempt = 3 })
		after, again := job.RetryAfter(err, 3)
		if !errors.Is(err, context.DeadlineExceeded) || !again || after != time.Minute || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v, again %t after %s", time.Since(began), err, again, after)
		}
	})
}
