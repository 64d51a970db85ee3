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
	// Get returns a task, or ErrNotFound when it is unknown or cancelled.
	Get(ctx context.Context, id uuid.UUID) (Task, error)
	// List returns a page of tasks that are not cancelled, newest first, without their payloads, metadata and attempts,
	// and without results of more than MaxListedResult bytes.
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
	// Claim makes the best task that may start now running, and returns it. Its attempt is counted, its lease ends after
	// rules.Lease unless Heartbeat extends it. It returns ErrNothingToClaim where no task may start.
	//
	// A task may start that is pending, due and not expired, and whose type and key are below their limits. The best one is
	// of the fairness key that has the smallest share of the running tasks, and of several the one that was served least
	// recently; among the tasks of the key it has the highest priority, and then is the oldest. Claims of many
	// workers at once follow one another, so that each sees what the one before took.
	Claim(ctx context.Context, rules ClaimRules) (Task, error)
	// Heartbeat extends the lease of a running attempt to the given time from now, and keeps the progress unless it is nil.
	Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration, progress *Progress) error
	// Complete ends a running attempt with its result, a JSON value, and the task with it.
	Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage) error
	// Fail ends a running attempt and its task for good with the reason.
	Fail(ctx context.Context, id uuid.UUID, attempt int, reason string) error
	// Requeue ends a running attempt and makes its task pending again, due once after has passed. The last of maxAttempts
	// ends the task as Fail does, and again is false. A task's own MaxAttempts takes precedence.
	Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int) (again bool, err error)
	// Release gives the task of a running attempt back, as if it had not been claimed: it is pending and due once after has
	// passed, and its claim neither counts towards MaxAttempts nor leaves a record. The next claim's fencing token differs
	// all the same.
	Release(ctx context.Context, id uuid.UUID, attempt int, after time.Duration) error
	// Load tells whether another worker is worth starting.
	Load(ctx context.Context, most int) (Load, error)
}

// ClaimRules are what a claim goes by beside the tasks themselves.
type ClaimRules struct {
	// Lease is how long the claim holds without a heartbeat.
	Lease time.Duration
	// Limits are the limits of types; a type without an entry has none.
	Limits map[string]Limit
	// Weights are how large the shares of fairness keys are meant to be in relation to each other; a key without an entry
	// has 1.
	Weights map[string]float64
}

// Limit bounds the tasks of a type that run at once. The zero value is no limit.
type Limit struct {
	// MaxRunning is the most tasks of the type, MaxRunningPerKey the most of them with one fairness key; 0 is no limit.
	MaxRunning, MaxRunningPerKey int
	// Closed says that no task of the type is to be claimed now.
	Closed bool
}

// Load is how many tasks there are to do.
type Load struct {
	// Waiting tasks are pending and due. The count ends at the most that was asked for.
	Waiting int
	// Running tasks are held by workers, or were until the workers died.
	Running int
}

// Upkeep are the steps of the sweeper. Any number of sweepers may run at once: a row that one of them works on is
// skipped by the others.
type Upkeep interface {
	// Load is that of Attempts.
	Load(ctx context.Context, most int) (Load, error)
	// Wake makes up to limit tasks due whose time has come, and returns how many. A claim does so as well.
	Wake(ctx context.Context, limit int) (int, error)
	// Announce returns the permits of up to limit tasks that are due within MaxDelay and that nobody sent a permit for, since
	// their time was farther away than a permit can be delayed. It returns each once.
	Announce(ctx context.Context, limit int) ([]Permit, error)
	// Expire fails up to limit tasks that have not started by their ExpiresAt, and returns their ids.
	Expire(ctx context.Context, limit int) ([]uuid.UUID, error)
	// Rescue takes up to limit running tasks whose lease expired: pending again and due after backoff(attempt), or
	// failed where the attempt was the last one. It returns them in no order.
	Rescue(ctx context.Context, limit int, retry RetryPolicy) ([]Rescued, error)
	// Purge deletes up to limit rows of each kind that are older than the retention says and returns how many.
	Purge(ctx context.Context, limit int, keep Retention) (int, error)
}

// Expired is the error of a task that has not started by its ExpiresAt.
const Expired = "the task expired before it could start"

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
	// MaxAttempts is how often a task is tried in all, at least 1, unless the task itself says otherwise.
	MaxAttempts int
	// Backoff is the wait after the first attempt; it doubles with each further one. 0 retries at once.
	Backoff time.Duration
	// Reason is kept as the task's error.
	Reason string
}

// Rescued is what became of a rescued task.
type Rescued struct {
	ID          uuid.UUID
	FairnessKey string
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
	// MaxListedResult is the longest result in bytes that a list has.
	MaxListedResult = 4 << 10
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

// Queue sends permits to the workers.
type Queue interface {
	// Send sends permits. Nobody receives one before its delay has passed. Delivery is at least once. Where it fails, any
	// number of them may have been sent.
	Send(ctx context.Context, permits ...Permit) error
}

// Permit tells a worker that one more task may start. The worker chooses which.
type Permit struct {
	// Task is the task that the permit is sent for, as a hint to whoever reads the message; uuid.Nil where there is none.
	Task uuid.UUID
	// FairnessKey lets the queue be fair where more permits wait than workers take; empty without a key.
	FairnessKey string
	// Delay is at most MaxDelay.
	Delay time.Duration
	// Trace is the X-Ray header that the message carries; empty is the context's own.
	Trace string
}
