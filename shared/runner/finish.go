package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// finish writes the ending of an attempt. An error means that it could not be written in the time left.
func (r *Runner) finish(ctx context.Context, a attempt, result json.RawMessage, jobErr error) error {
	if errors.Is(jobErr, task.ErrLeaseLost) {
		r.log.InfoContext(ctx, "job stopped: the task was deleted or another worker holds it", "error", jobErr)
		return nil
	}
	if errors.Is(jobErr, errStopped) {
		return r.release(ctx, a)
	}
	after, retryable := job.RetryAfter(jobErr, a.number)
	again := false
	err := r.insist(ctx, "ending not written yet", func(ctx context.Context) (err error) {
		switch {
		case jobErr == nil:
			return r.store.Complete(ctx, a.id, a.number, result)
		case retryable:
			again, err = r.store.Requeue(ctx, a.id, a.number, jobErr.Error(), after, r.cfg.MaxAttempts)
			return err
		default:
			return r.store.Fail(ctx, a.id, a.number, jobErr.Error())
		}
	})
	switch {
	case errors.Is(err, task.ErrLeaseLost):
		r.log.InfoContext(ctx, "ending not written: it is written already, the task was deleted or another worker holds it")
		return nil
	case err != nil:
		return fmt.Errorf("write the ending of task %s: %w", a.id, err)
	case jobErr == nil:
		r.log.InfoContext(ctx, "task completed", "result", string(result))
	case again:
		r.log.WarnContext(ctx, "attempt failed, the task is tried again", "error", jobErr, "after", after.String())
	default:
		r.log.WarnContext(ctx, "task failed", "error", jobErr)
	}
	return nil
}

// insist repeats a write while the store cannot be reached, at growing intervals, until ctx ends. The work of minutes
// is not to be lost for a restart of the database, nor a message to be hidden for its visibility time-out.
func (r *Runner) insist(ctx context.Context, trouble string, once func(context.Context) error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := once(ctx)
		if !errors.Is(err, task.ErrUnavailable) {
			return err
		}
		r.log.WarnContext(ctx, trouble, "error", err, "retry_in", wait.String())
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// release gives the task of a stopped job back. The message is acknowledged: the sweeper sends the task again.
func (r *Runner) release(ctx context.Context, a attempt) error {
	switch err := r.store.Release(ctx, a.id, a.number); {
	case errors.Is(err, task.ErrLeaseLost):
		r.log.InfoContext(ctx, "task not released: it was deleted or another worker holds it")
	case err != nil:
		return fmt.Errorf("release task %s: %w", a.id, err)
	default:
		r.log.InfoContext(ctx, "task released: the worker stops")
	}
	return nil
}
