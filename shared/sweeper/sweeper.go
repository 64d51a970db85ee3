// Package sweeper repairs and cleans up. It rescues tasks of dead workers, makes tasks due, expires them, sends the
// permits that are owed, and purges old rows.
package sweeper

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config has the sweeper's limits. Zero fields get the defaults.
type Config struct {
	// Semaphore is how many tasks run at once; default 16. The sweeper owes no more permits than tasks can start.
	Semaphore int
	// MaxAttempts is the maximum number of attempts after workers die, unless the task says otherwise; default 3.
	MaxAttempts int
	// Retention is how long completed and failed tasks are kept; default 30 days.
	Retention time.Duration
	// Backoff is the wait before a rescued task is tried again; it doubles with each attempt; default 5 s.
	Backoff time.Duration
	// Batch is how many rows one statement takes; default 100.
	Batch int
	// Rounds is how many full batches of one step a sweep does before it leaves the rest to the next sweep; default 50.
	Rounds int
}

// keepCancelled is how long deleted tasks are kept.
const keepCancelled = 24 * time.Hour

func (c Config) withDefaults() Config {
	c.Semaphore = cmp.Or(c.Semaphore, 16)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 3)
	c.Retention = cmp.Or(c.Retention, 30*24*time.Hour)
	c.Backoff = cmp.Or(c.Backoff, 5*time.Second)
	c.Batch = cmp.Or(c.Batch, 100)
	c.Rounds = cmp.Or(c.Rounds, 50)
	return c
}

// Queue is the queue of permits.
type Queue interface {
	task.Queue
	// Waiting returns about how many permits can be received now. It does not count the hidden ones: received and not
	// deleted.
	Waiting(ctx context.Context) (int, error)
}

// Sweeper does the upkeep of a store. Any number of them may run at once.
type Sweeper struct {
	store task.Upkeep
	queue Queue
	log   *slog.Logger
	cfg   Config
}

// New returns a sweeper over a store and the queue of its permits.
func New(store task.Upkeep, q Queue, log *slog.Logger, cfg Config) *Sweeper {
	return &Sweeper{store: store, queue: q, log: log, cfg: cfg.withDefaults()}
}

// Handle is the Lambda handler of both the schedule and the dead letter queue's mapping; an event of the latter has
// Records. A dead letter is a permit that no worker could use, since the store was unreachable. Handle drops it; the
// sweep that follows sends the permits that are owed.
func (s *Sweeper) Handle(ctx context.Context, event json.RawMessage) (any, error) {
	var sqs events.SQSEvent
	if err := json.Unmarshal(event, &sqs); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	if len(sqs.Records) > 0 {
		s.log.InfoContext(ctx, "dead letters dropped", "permits", len(sqs.Records))
	}
	return s.Sweep(ctx)
}

// Swept counts what a sweep did.
type Swept struct {
	Sent     int `json:"sent"`
	Requeued int `json:"requeued"`
	Failed   int `json:"failed"`
	Due      int `json:"due"`
	Expired  int `json:"expired"`
	Purged   int `json:"purged"`
}

// Sweep does every step once. A step that fails does not prevent the others. Sweep returns all errors.
func (s *Sweeper) Sweep(ctx context.Context) (Swept, error) {
	var swept Swept
	rescue := func() (int, error) {
		list, err := s.store.Rescue(ctx, s.cfg.Batch, s.retry())
		permits := s.rescued(ctx, list, &swept)
		return len(list), errors.Join(err, s.send(ctx, &swept, permits))
	}
	wake := func() (int, error) {
		n, err := s.store.Wake(ctx, s.cfg.Batch)
		swept.Due += n
		return n, err
	}
	expire := func() (int, error) {
		ids, err := s.store.Expire(ctx, s.cfg.Batch)
		for _, id := range ids {
			s.log.WarnContext(logging.Task(ctx, id.String(), 0), "task failed", "error", errors.New(task.Expired))
		}
		swept.Expired += len(ids)
		return len(ids), err
	}
	announce := func() (int, error) {
		permits, err := s.store.Announce(ctx, s.cfg.Batch)
		return len(permits), errors.Join(err, s.send(ctx, &swept, permits))
	}
	purge := func() (int, error) {
		n, err := s.store.Purge(ctx, s.cfg.Batch, task.Retention{Ended: s.cfg.Retention, Cancelled: keepCancelled})
		swept.Purged += n
		return n, err
	}
	err := errors.Join(s.repeat(ctx, rescue), s.repeat(ctx, expire), s.repeat(ctx, wake), s.owed(ctx, &swept),
		s.repeat(ctx, announce), s.repeat(ctx, purge))
	if err != nil {
		s.log.ErrorContext(ctx, "sweep not completed", "error", err)
	}
	if swept != (Swept{}) {
		s.log.InfoContext(ctx, "swept", "sent", swept.Sent, "requeued", swept.Requeued, "failed", swept.Failed, "due", swept.Due,
			"expired", swept.Expired, "purged", swept.Purged)
	}
	return swept, err
}

// owed sends the missing permits. As many tasks can start as wait and as the semaphore has free slots. Each needs a
// permit that a worker can receive. A superfluous permit does no harm.
func (s *Sweeper) owed(ctx context.Context, swept *Swept) error {
	load, err := s.store.Load(ctx, s.cfg.Semaphore)
	if err != nil {
		return err
	}
	missing := min(load.Waiting, s.cfg.Semaphore-load.Running)
	if missing <= 0 {
		return nil
	}
	visible, err := s.queue.Waiting(ctx)
	if err != nil {
		return err
	}
	return s.send(ctx, swept, make([]task.Permit, max(missing-visible, 0)))
}

// send sends permits and counts them.
func (s *Sweeper) send(ctx context.Context, swept *Swept, permits []task.Permit) error {
	if len(permits) == 0 {
		return nil
	}
	if err := s.queue.Send(ctx, permits...); err != nil {
		return err
	}
	swept.Sent += len(permits)
	s.log.InfoContext(ctx, "permits sent", "permits", len(permits))
	return nil
}

// repeat runs a step while it has full batches, up to the rounds of a sweep.
func (s *Sweeper) repeat(ctx context.Context, step func() (int, error)) error {
	for range s.cfg.Rounds {
		n, err := step()
		if err != nil || n < s.cfg.Batch || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// rescued logs each rescued task in a worker's words, and returns the permits of the requeued tasks. A later sweep
// announces the permit of a longer wait.
func (s *Sweeper) rescued(ctx context.Context, list []task.Rescued, swept *Swept) (permits []task.Permit) {
	for _, r := range list {
		message := "task requeued"
		switch {
		case r.Failed:
			message = "task failed"
			swept.Failed++
		default:
			swept.Requeued++
			if r.Due <= task.MaxDelay {
				permits = append(permits, task.Permit{Task: r.ID, FairnessKey: r.FairnessKey, Delay: r.Due})
			}
		}
		s.log.WarnContext(logging.Task(ctx, r.ID.String(), r.Attempt), message, "error", errors.New(s.retry().Reason))
	}
	return permits
}

func (s *Sweeper) retry() task.RetryPolicy {
	return task.RetryPolicy{MaxAttempts: s.cfg.MaxAttempts, Backoff: s.cfg.Backoff, Reason: "the worker stopped during the attempt"}
}
