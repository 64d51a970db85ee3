package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"ksu/shared/task"
)

// finish writes the ending of an attempt. An error means that it could not be written in the time left.
func (r *Runner) finish(ctx context.Context, id uuid.UUID, attempt int, result string, jobErr error, log *slog.Logger) error {
	if errors.Is(jobErr, task.ErrLeaseLost) {
		log.InfoContext(ctx, "job stopped: the task was deleted or another worker holds it", "error", jobErr)
		return nil
	}
	if errors.Is(jobErr, errStopped) {
		return r.release(ctx, id, attempt, log)
	}
	err := r.write(ctx, log, func(ctx context.Context) error {
		if jobErr != nil {
			return r.store.Fail(ctx, id, attempt, jobErr.Error())
		}
		return r.store.Complete(ctx, id, attempt, result)
	})
	switch {
	case errors.Is(err, task.ErrLeaseLost):
		log.InfoContext(ctx, "ending not written: the task was deleted or another worker holds it")
		return nil
	case err != nil:
		return fmt.Errorf("write the ending of task %s: %w", id, err)
	case jobErr != nil:
		log.WarnContext(ctx, "task failed", "error", jobErr)
	default:
		log.InfoContext(ctx, "task completed", "result", result)
	}
	return nil
}

// write repeats a write while the store cannot be reached, at growing intervals, until ctx ends: the job's work is
// done, and losing it for a restart of the database would be a waste.
func (r *Runner) write(ctx context.Context, log *slog.Logger, once func(context.Context) error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := once(ctx)
		if !errors.Is(err, task.ErrUnavailable) {
			return err
		}
		log.WarnContext(ctx, "ending not written yet", "error", err, "retry_in", wait.String())
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// release gives the task of a stopped job back. The message is acknowledged: the sweeper sends the task again.
func (r *Runner) release(ctx context.Context, id uuid.UUID, attempt int, log *slog.Logger) error {
	err := r.store.Release(ctx, id, attempt)
	if err != nil && !errors.Is(err, task.ErrLeaseLost) {
		return fmt.Errorf("release task %s: %w", id, err)
	}
	log.InfoContext(ctx, "task released: the worker stops")
	return nil
}
