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
func (r *Runner) finish(ctx context.Context, a attempt, j *job.Job, result json.RawMessage, jobErr error) error {
	if errors.Is(jobErr, task.ErrLeaseLost) {
		r.log.InfoContext(ctx, "job stopped: the task was deleted or another worker holds it", "error", jobErr)
		return nil
	}
	if errors.Is(jobErr, errStopped) {
		return r.release(ctx, a, 0, "task released: the worker stops")
	}
	after, retryable := job.RetryAfter(jobErr, a.Attempt)
	again := false
	err := r.insist(ctx, "ending not written yet", func(ctx context.Context) (err error) {
		switch {
		case jobErr == nil:
			return r.store.Complete(ctx, a.ID, a.Attempt, result)
		case retryable:
			again, err = r.store.Requeue(ctx, a.ID, a.Attempt, jobErr.Error(), after, r.attemptsOf(j))
			return err
		default:
			return r.store.Fail(ctx, a.ID, a.Attempt, jobErr.Error())
		}
	})
	switch {
	case errors.Is(err, task.ErrLeaseLost):
		r.log.InfoContext(ctx, "ending not written: it is written already, the task was deleted or another worker holds it")
	case err != nil:
		return fmt.Errorf("write the ending of task %s: %w", a.ID, err)
	case jobErr == nil:
		r.log.InfoContext(ctx, "task completed", "result_bytes", len(result)) // not the result, which may hold a secret
	case again:
		r.log.WarnContext(ctx, "attempt failed, the task is tried again", "error", jobErr, "after", after.String())
		r.permit(ctx, a, after)
	default:
		r.log.WarnContext(ctx, "task failed", "error", jobErr)
	}
	return nil
}

// attemptsOf is how often a job's task is tried that does not say so itself.
func (r *Runner) attemptsOf(j *job.Job) int {
	if own := j.Options().MaxAttempts; own > 0 {
		return own
	}
	return r.cfg.MaxAttempts
}

// permit sends a permit for a task that is due after a time. The sweeper sends the permit of a longer time.
func (r *Runner) permit(ctx context.Context, a attempt, after time.Duration) {
	if after > task.MaxDelay {
		return
	}
	p := task.Permit{Task: a.ID, FairnessKey: a.FairnessKey, Delay: after, Trace: a.Trace}
	if err := r.queue.Send(context.WithoutCancel(ctx), p); err != nil {
		r.log.WarnContext(ctx, "permit not sent; the sweeper sends it", "error", err)
	}
}

// insist repeats a step while the store cannot be reached, at growing intervals, until ctx ends. The work of minutes
// is not to be lost for a restart of the database, nor a permit to be hidden for its visibility time-out.
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

// release gives the task back, due after a time, and sends a permit for it.
func (r *Runner) release(ctx context.Context, a attempt, after time.Duration, message string) error {
	switch err := r.store.Release(ctx, a.ID, a.Attempt, after); {
	case errors.Is(err, task.ErrLeaseLost):
		r.log.InfoContext(ctx, "task not released: it was deleted or another worker holds it")
	case err != nil:
		return fmt.Errorf("release task %s: %w", a.ID, err)
	default:
		r.log.InfoContext(ctx, message)
		r.permit(ctx, a, after)
	}
	return nil
}

// unknownPause is how long a task of an unknown type waits between two looks.
const unknownPause = 30 * time.Second

// unknown deals with a task whose type this worker does not have: one that was submitted a short time ago is left to the
// workers of a version that is being deployed, another one fails.
func (r *Runner) unknown(ctx context.Context, a attempt) {
	unknown := r.jobs.Unknown(a.Type)
	var err error
	if time.Since(a.CreatedAt) < r.cfg.UnknownTime {
		err = r.release(ctx, a, unknownPause, "task released: its type is unknown to this worker")
	} else if err = r.store.Fail(ctx, a.ID, a.Attempt, unknown.Error()); err == nil {
		r.log.WarnContext(ctx, "task failed", "error", unknown)
	}
	if err != nil && !errors.Is(err, task.ErrLeaseLost) {
		r.log.ErrorContext(ctx, "task of an unknown type not given back; the sweeper rescues it", "error", err)
	}
}
