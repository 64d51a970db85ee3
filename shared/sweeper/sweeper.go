// Package sweeper finishes what died in the middle: it sends tasks that were stored and not sent, rescues those whose
// worker stopped, settles what the queue gave up on, and purges what nobody needs any more.
package sweeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config has the sweeper's limits. The zero value of a field is its default.
type Config struct {
	// MaxAttempts is how often a task is tried in all when its workers die; default 3.
	MaxAttempts int
	// Retention is how long completed and failed tasks are kept; default 30 days.
	Retention time.Duration
	// Backoff is the wait before a rescued task is tried again; it doubles with each attempt; default 5 s.
	Backoff time.Duration
	// Batch is how many rows one statement takes; default 100.
	Batch int
	// Rounds is how many full batches of one kind a run takes before it leaves the rest to the next; default 50.
	Rounds int
}

const (
	// soon is when a rescued task is due that is sent at once, with a message that is delayed until then: the next sweep
	// would be later. A task that is due after it is left to that sweep or a further one.
	soon = time.Minute
	// hold is how long a sweeper has to send the tasks that it took, before another one may.
	hold = 30 * time.Second
	// goneAfter is the task queue's message retention, after which a message is gone.
	goneAfter = 4 * 24 * time.Hour
	// hiddenAfter is how long a message is waited for while the queue has none to receive. A receiver that died or could
	// not reach the store before it claimed the task leaves its message hidden for the visibility time-out, half an hour,
	// and the task idle. It is above the minute in which SQS's count of messages may lag behind.
	hiddenAfter = 2 * time.Minute
	// keepCancelled is how long deleted tasks are kept.
	keepCancelled = 24 * time.Hour
)

func (c Config) withDefaults() Config {
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 3
	}
	if c.Retention == 0 {
		c.Retention = 30 * 24 * time.Hour
	}
	if c.Backoff == 0 {
		c.Backoff = 5 * time.Second
	}
	if c.Batch == 0 {
		c.Batch = 100
	}
	if c.Rounds == 0 {
		c.Rounds = 50
	}
	return c
}

// Queue is the queue of tasks.
type Queue interface {
	task.Queue
	// Waiting is about how many messages can be received now. Those that a receiver has, or had and has not deleted, are
	// hidden and do not count.
	Waiting(ctx context.Context) (int, error)
}

// Store are the steps of a store that the sweeper needs.
type Store interface {
	task.Upkeep
	MarkEnqueued(ctx context.Context, id uuid.UUID) error
}

// Sweeper does the upkeep of a store. Any number of them may run at once.
type Sweeper struct {
	store Store
	queue Queue
	log   *slog.Logger
	cfg   Config
}

// New returns a sweeper over a store and the queue of its tasks.
func New(store Store, q Queue, log *slog.Logger, cfg Config) *Sweeper {
	return &Sweeper{store: store, queue: q, log: log, cfg: cfg.withDefaults()}
}

// Handle is the Lambda handler of both the schedule and the dead letter queue's mapping, told apart by the event's
// Records.
func (s *Sweeper) Handle(ctx context.Context, event json.RawMessage) (any, error) {
	var sqs events.SQSEvent
	if err := json.Unmarshal(event, &sqs); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	if len(sqs.Records) > 0 {
		return s.Settle(ctx, sqs), nil
	}
	return s.Sweep(ctx)
}

// Swept counts what a sweep did.
type Swept struct {
	Sent     int `json:"sent"`
	Requeued int `json:"requeued"`
	Failed   int `json:"failed"`
	Purged   int `json:"purged"`
}

// Sweep does one round of everything. A part that fails does not keep the others from theirs; all errors are returned.
func (s *Sweeper) Sweep(ctx context.Context) (Swept, error) {
	var swept Swept
	rescue := func() (int, error) {
		policy := s.retry("the worker stopped during the attempt")
		list, err := s.store.Rescue(ctx, s.cfg.Batch, policy)
		requeued, failed := s.logRescued(ctx, list, policy)
		swept.Requeued += requeued
		swept.Failed += failed
		n, sendErr := s.sendRescued(ctx, list)
		swept.Sent += n
		return len(list), errors.Join(err, sendErr)
	}
	resendAfter := s.resendAfter(ctx)
	send := func() (int, error) {
		n, err := s.send(ctx, resendAfter)
		swept.Sent += n
		return n, err
	}
	purge := func() (int, error) {
		n, err := s.store.Purge(ctx, s.cfg.Batch, task.Retention{Ended: s.cfg.Retention, Cancelled: keepCancelled})
		swept.Purged += n
		return n, err
	}
	err := errors.Join(s.repeat(ctx, rescue), s.repeat(ctx, send), s.repeat(ctx, purge))
	if err != nil {
		s.log.ErrorContext(ctx, "sweep not completed", "error", err)
	}
	if swept != (Swept{}) {
		s.log.InfoContext(ctx, "swept", "sent", swept.Sent, "requeued", swept.Requeued, "failed", swept.Failed, "purged", swept.Purged)
	}
	return swept, err
}

// repeat runs a step as long as it has full batches, within the rounds of a run.
func (s *Sweeper) repeat(ctx context.Context, step func() (int, error)) error {
	for range s.cfg.Rounds {
		n, err := step()
		if err != nil || n < s.cfg.Batch || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// logRescued writes a line for each rescued task, as a worker does where an attempt fails, and counts them.
func (s *Sweeper) logRescued(ctx context.Context, list []task.Rescued, policy task.RetryPolicy) (requeued, failed int) {
	for _, r := range list {
		message := "attempt failed, the task is tried again"
		if r.Failed {
			message = "task failed"
			failed++
		} else {
			requeued++
		}
		s.log.WarnContext(logging.Task(ctx, r.ID.String(), r.Attempt), message, "error", errors.New(policy.Reason))
	}
	return requeued, failed
}

func (s *Sweeper) retry(reason string) task.RetryPolicy {
	return task.RetryPolicy{MaxAttempts: s.cfg.MaxAttempts, Backoff: s.cfg.Backoff, Reason: reason}
}

// resendAfter is how old a task's message must be for the task to be sent again. The second message does no harm where the
// first one comes after all: its task is claimed once.
func (s *Sweeper) resendAfter(ctx context.Context) time.Duration {
	waiting, err := s.queue.Waiting(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "messages not counted; hidden ones are left alone", "error", err)
		return goneAfter
	}
	if waiting > 0 {
		return goneAfter
	}
	return hiddenAfter
}

// send sends a batch of tasks and returns how many it took. The first that fails ends it: the queue is away, and the
// rest comes again after hold.
func (s *Sweeper) send(ctx context.Context, resendAfter time.Duration) (int, error) {
	ids, err := s.store.Unsent(ctx, s.cfg.Batch, hold, resendAfter)
	if err != nil {
		return 0, fmt.Errorf("find unsent tasks: %w", err)
	}
	for n, id := range ids {
		if err := s.sendOne(ctx, id, 0); err != nil {
			return n, err
		}
	}
	return len(ids), nil
}

// sendRescued sends the rescued tasks that are due soon, and returns how many it sent. The first that fails ends it, and
// later sweeps send the rest.
func (s *Sweeper) sendRescued(ctx context.Context, list []task.Rescued) (sent int, err error) {
	for _, r := range list {
		if r.Failed || r.Due > soon {
			continue
		}
		if err := s.sendOne(ctx, r.ID, r.Due); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

func (s *Sweeper) sendOne(ctx context.Context, id uuid.UUID, delay time.Duration) error {
	ctx = logging.Task(ctx, id.String(), 0)
	if err := s.queue.Send(ctx, id, delay); err != nil {
		return fmt.Errorf("send task %s: %w", id, err)
	}
	s.log.InfoContext(ctx, "task sent", "delay", delay.Round(time.Second).String())
	if err := s.store.MarkEnqueued(ctx, id); err != nil {
		s.log.WarnContext(ctx, "task sent but not marked as enqueued; it is sent again", "error", err)
	}
	return nil
}
