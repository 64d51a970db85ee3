package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// finish writes the ending of an attempt. It fails if it cannot do so in the remaining time.
func (r *Runner) finish(ctx context.Context, a attempt, j *job.Job, o outcome) error {
	jobErr := o.err
	if errors.Is(jobErr, task.ErrLeaseLost) {
		r.log.InfoContext(ctx, "job stopped: lease lost", "error", jobErr)
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
			return r.store.Complete(ctx, a.ID, a.Attempt, o.result, o.progress)
		case retryable:
			again, err = r.store.Requeue(ctx, a.ID, a.Attempt, jobErr.Error(), after, r.attemptsOf(j), o.progress)
			return err
		default:
			return r.store.Fail(ctx, a.ID, a.Attempt, jobErr.Error(), o.progress)
		}
	})
	switch {
	case errors.Is(err, task.ErrLeaseLost):
		r.log.InfoContext(ctx, "ending dropped: lease lost")
	case err != nil:
		return fmt.Errorf("write the ending of task %s: %w", a.ID, err)
	case jobErr == nil:
		r.log.InfoContext(ctx, "task completed", "result_bytes", len(o.result)) // not the result, which may hold a secret
	case again:
		r.log.WarnContext(ctx, "task requeued", "error", jobErr, "after", after.String())
		r.permit(ctx, a, after)
	default:
		r.log.WarnContext(ctx, "task failed", "error", jobErr)
	}
	return nil
}

// attemptsOf is the maximum number of attempts of a job's task, unless the task itself says otherwise.
func (r *Runner) attemptsOf(j *job.Job) int {
	if own := j.Options().MaxAttempts; own > 0 {
		return own
	}
	return r.cfg.MaxAttempts
}

// permit sends a permit for a task that becomes due later. If the delay is too long for the queue, the sweeper sends
// the permit.
func (r *Runner) permit(ctx context.Context, a attempt, after time.Duration) {
	if after > task.MaxDelay {
		return
	}
	p := task.Permit{Task: a.ID, FairnessKey: a.FairnessKey, Delay: after, Trace: a.Trace}
	if err := r.queue.Send(context.WithoutCancel(ctx), p); err != nil {
		r.log.WarnContext(ctx, "permit not sent", "error", err)
	}
}

// insist repeats a step while the store is unreachable, at growing intervals, until ctx ends. A restart of the database
// must not lose the work of minutes, nor hide a permit for its visibility time-out.
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
		r.log.InfoContext(ctx, "task not released: lease lost")
	case err != nil:
		return fmt.Errorf("release task %s: %w", a.ID, err)
	default:
		r.log.InfoContext(ctx, message)
		r.permit(ctx, a, after)
	}
	return nil
}

// unknownPause is the wait between two claims of a task of an unknown type.
const unknownPause = 30 * time.Second

// unknown handles a task whose type this worker does not know. It leaves a new task to the workers of a version that is
// being deployed, and fails an old one.
func (r *Runner) unknown(ctx context.Context, a attempt) {
	unknown := r.jobs.Unknown(a.Type)
	var err error
	if time.Since(a.CreatedAt) < r.cfg.UnknownTime {
		err = r.release(ctx, a, unknownPause, "task released: unknown type")
	} else if err = r.store.Fail(ctx, a.ID, a.Attempt, unknown.Error(), nil); err == nil {
		r.log.WarnContext(ctx, "task failed", "error", unknown)
	}
	if err != nil && !errors.Is(err, task.ErrLeaseLost) {
		r.log.ErrorContext(ctx, "task not released", "error", err)
	}
}
