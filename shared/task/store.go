package task

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Store keeps tasks. Every method is one atomic step of the state machine (see Status) and safe for concurrent use by
// many processes. Times are the store's own clock's. An error that comes from an unreachable store wraps
// ErrUnavailable.
type Store interface {
	Submissions
	Attempts
	Upkeep
	// Close gives back the store's connections.
	Close()
}

// Submissions are the steps behind the REST API.
type Submissions interface {
	// Create writes a new task with the submission's defaults filled in and returns it. With a key that was used
	// within KeyLifetime it writes nothing: the same request is answered with the task that the key made then (its ID
	// and CreatedAt, whatever became of it) and created false, another request with ErrKeyReused. Of two at once with
	// one key, one creates.
	Create(ctx context.Context, id uuid.UUID, submission Submission, key Key) (t Task, created bool, err error)
	// MarkEnqueued notes that the task's message is in the queue. Losing this write does no harm: the task is sent
	// twice. A task that is not pending is left as it is.
	MarkEnqueued(ctx context.Context, id uuid.UUID) error
	// Get returns a task, or ErrNotFound when it is unknown or cancelled.
	Get(ctx context.Context, id uuid.UUID) (Task, error)
	// List returns a page of tasks that are not cancelled, newest first, without their payloads, metadata and attempts.
	List(ctx context.Context, page Page) ([]Task, error)
	// Cancel makes any visible task cancelled, or returns ErrNotFound.
	Cancel(ctx context.Context, id uuid.UUID) error
	// Retry makes a failed task pending again, with all its attempts before it, and returns it. The records of earlier
	// attempts stay. It returns ErrNotFound, or ErrNotFailed where the task has another status.
	Retry(ctx context.Context, id uuid.UUID) (Task, error)
	// Update changes a pending task and returns it. It returns ErrNotFound, or ErrNotWaiting where the task has another
	// status.
	Update(ctx context.Context, id uuid.UUID, change Change) (Task, error)
}

// Attempts are the steps of the workers. The attempt that Claim returns is the fencing token of the others: they
// return ErrLeaseLost when the task was deleted, has ended or belongs to a later attempt.
type Attempts interface {
	// Claim makes a task running if it is pending, or if it is running and its lease has expired and this would not be
	// more than maxAttempts attempts. The claim's lease ends after the given time unless Heartbeat extends it. It
	// returns the attempt, or ErrNotClaimable.
	Claim(ctx context.Context, id uuid.UUID, lease time.Duration, maxAttempts int) (attempt int, err error)
	// Heartbeat extends the lease of a running attempt to the given time from now.
	Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration) error
	// Complete ends a running attempt with its result, a JSON value.
	Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage) error
	// Fail ends a running attempt for good with the reason.
	Fail(ctx context.Context, id uuid.UUID, attempt int, reason string) error
	// Requeue makes the task of a running attempt pending again and keeps the reason; Unsent names it once after has
	// passed. The attempt counts: the last of maxAttempts ends the task as Fail does, and again is false. A task's own
	// MaxAttempts takes precedence.
	Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int) (again bool, err error)
	// Release gives the task of a running attempt back at once, as if it had not been claimed: it is pending, Unsent
	// names it from now on, and its claim does not count towards maxAttempts. The next claim's fencing token differs
	// all the same.
	Release(ctx context.Context, id uuid.UUID, attempt int) error
}

// Upkeep are the steps of the sweeper. Any number of sweepers may run at once: a row that one of them works on is
// skipped by the others.
type Upkeep interface {
	// Unsent returns up to limit pending tasks that are due and not marked as enqueued, oldest first, or were marked
	// longer than resendAfter ago (their message is gone). It does not return them again before hold has passed, which
	// is the time to send and mark them.
	Unsent(ctx context.Context, limit int, hold, resendAfter time.Duration) ([]uuid.UUID, error)
	// Rescue takes up to limit running tasks whose lease expired: pending again and due after backoff(attempt), or
	// failed where the attempt was the last of maxAttempts. It returns them in no order.
	Rescue(ctx context.Context, limit int, retry RetryPolicy) ([]Rescued, error)
	// Settle is Rescue for one task whose message the queue gave up on. A pending task counts as an attempt that
	// failed; a running one with a lease, an ended, a deleted and an unknown one are left as they are, and none is
	// returned.
	Settle(ctx context.Context, id uuid.UUID, retry RetryPolicy) ([]Rescued, error)
	// Purge deletes up to limit rows of each kind that are older than the retention says and returns how many.
	Purge(ctx context.Context, limit int, keep Retention) (int, error)
}

// SendTime is how long whoever created a task has to send it and to mark it as enqueued; then it is the sweeper's to send.
const SendTime = 10 * time.Second

// Key makes a submission repeatable. The zero value is a submission without one.
type Key struct {
	// Name is the client's Idempotency-Key.
	Name string
	// Request is a hash of the request, which tells a repetition from another request with the same key.
	Request []byte
}

// KeyLifetime is how long a Key is remembered.
const KeyLifetime = 24 * time.Hour

// RetryPolicy says what becomes of an attempt that ended without an ending.
type RetryPolicy struct {
	// MaxAttempts is how often a task is tried in all, at least 1.
	MaxAttempts int
	// Backoff is the wait after the first attempt; it doubles with each further one. 0 retries at once.
	Backoff time.Duration
	// Reason is kept as the task's error.
	Reason string
}

// Rescued is what became of a rescued task.
type Rescued struct {
	ID uuid.UUID
	// Attempt is the fencing token of the last claim; 0 where there was none.
	Attempt int
	// Failed says that the task had no attempt left; else it is pending again.
	Failed bool
	// Due is how long it takes until the task is to be tried again, the policy's backoff. It has no meaning where Failed.
	Due time.Duration
}

// Retention is how long rows are kept after they are of no more use.
type Retention struct {
	// Ended is for completed and failed tasks, from their end.
	Ended time.Duration
	// Cancelled is for deleted tasks, from their deletion.
	Cancelled time.Duration
}

// Page selects a part of the list of tasks.
type Page struct {
	// Limit is the most tasks to return; the zero value is DefaultPageLimit. Stores take one more than MaxPageLimit, by
	// which a caller sees whether there is a next page.
	Limit int
	// Before is the cursor: only tasks older than this id. The zero value starts at the newest.
	Before uuid.UUID
	// Status keeps only tasks in this state; the zero value keeps all visible ones.
	Status Status
	// Type, FairnessKey and Owner keep only tasks that have this one, and Tag only tasks that have it among theirs; the
	// zero value keeps all.
	Type, FairnessKey, Owner, Tag string
}

const (
	// DefaultPageLimit is the page size where the client names none.
	DefaultPageLimit = 100
	// MaxPageLimit is the largest page: a thousand tasks stay far below Lambda's 6 MB answer.
	MaxPageLimit = 1000
)

// Bounds are what a store selects by: the id that all tasks of the page are older than, and the most of them to return.
func (p Page) Bounds() (before uuid.UUID, limit int) {
	before, limit = p.Before, p.Limit
	if before == uuid.Nil {
		before = uuid.Max
	}
	if limit <= 0 {
		limit = DefaultPageLimit
	}
	return before, min(limit, MaxPageLimit+1)
}

// Queue sends tasks to the workers.
type Queue interface {
	// Send enqueues one message that names the task. Nobody receives it before the delay, at most 15 minutes, has passed.
	// Delivery is at least once.
	Send(ctx context.Context, id uuid.UUID, delay time.Duration) error
}
