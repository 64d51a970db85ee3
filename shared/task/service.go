package task

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Service has the use cases of the REST API, one method each.
type Service struct {
	store Store
	queue Queue
	log   *slog.Logger
}

// NewService returns the use cases over a store and a queue.
func NewService(store Store, queue Queue, log *slog.Logger) *Service {
	return &Service{store: store, queue: queue, log: log}
}

// Submit creates a task and sends a permit to the workers. The stored row is the truth and the outbox: once it is
// written, the task is accepted. If the queue fails, the sweeper sends the permit. With a key, Submit returns the task
// of the first such request again, and ErrKeyReused for another request. The zero key always creates.
func (s *Service) Submit(ctx context.Context, submission Submission, key Key) (Task, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Task{}, fmt.Errorf("make task id: %w", err)
	}
	t, created, err := s.store.Create(ctx, id, submission, key)
	if err != nil {
		return Task{}, fmt.Errorf("create task %s: %w", id, err)
	}
	if created {
		s.log.InfoContext(ctx, "task submitted", "task_id", t.ID)
		s.send(ctx, t, t.RunAt.Sub(t.CreatedAt))
	}
	return t, nil
}

// send sends the permit of a task that may start after the delay. If the delay is too long for the queue, the sweeper
// sends the permit later.
func (s *Service) send(ctx context.Context, t Task, delay time.Duration) {
	if delay > MaxDelay {
		return
	}
	err := s.queue.Send(ctx, Permit{Task: t.ID, FairnessKey: t.FairnessKey, Delay: max(delay, 0), Trace: t.Trace})
	if err != nil {
		s.log.ErrorContext(ctx, "permit not sent", "task_id", t.ID, "error", err)
	}
}

// Get returns a task, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Task, error) {
	return s.store.Get(ctx, id)
}

// Result returns the task once it has completed. Otherwise it returns ErrNotFound, or the task and ErrNoResult.
func (s *Service) Result(ctx context.Context, id uuid.UUID) (Task, error) {
	t, err := s.store.Get(ctx, id)
	if err == nil && t.Status != Completed {
		err = fmt.Errorf("task %s is %q: %w", id, t.Status.Label(), ErrNoResult)
	}
	return t, err
}

// List returns a page of tasks, newest first.
func (s *Service) List(ctx context.Context, page Page) ([]Task, error) {
	return s.store.List(ctx, page)
}

// Cancel deletes a task. A waiting task never starts; the next heartbeat of its worker stops a running one. It returns
// ErrNotFound if the task is unknown or already deleted.
func (s *Service) Cancel(ctx context.Context, id uuid.UUID) error {
	return s.store.Cancel(ctx, id)
}

// Retry makes a failed task wait again and sends it to the workers. It returns ErrNotFound or ErrNotFailed.
func (s *Service) Retry(ctx context.Context, id uuid.UUID) (Task, error) {
	t, err := s.store.Retry(ctx, id)
	if err == nil {
		s.log.InfoContext(ctx, "task retried", "task_id", id)
		s.send(ctx, t, 0)
	}
	return t, err
}

// Update changes a waiting task. It returns ErrNotFound or ErrNotWaiting.
func (s *Service) Update(ctx context.Context, id uuid.UUID, change Change) (Task, error) {
	t, err := s.store.Update(ctx, id, change)
	if err == nil {
		s.log.InfoContext(ctx, "task updated", "task_id", id)
		s.send(ctx, t, time.Until(t.RunAt))
	}
	return t, err
}
