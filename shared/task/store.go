package task

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Store keeps tasks. Every method is one atomic step of the state machine (see Status), and safe for concurrent use by
// many processes. Times are the store's own clock's. If the store is unreachable, errors wrap ErrUnavailable.
type Store interface {
	Submissions
	Attempts
	Upkeep
	// Close releases the store's connections.
	Close()
}

// Submissions are the steps behind the REST API.
type Submissions interface {
	// Create fills in the submission's defaults, writes the task and returns it. If the key was used within
	// KeyLifetime, Create writes nothing. For the same request it then returns that key's task (its ID and CreatedAt,
	// whatever became of it) with created false, for another request ErrKeyReused. Of concurrent calls with one key,
	// one creates.
	Create(ctx context.Context, id uuid.UUID, submission Submission, key Key) (t Task, created bool, err error)
	// Get returns a task, or ErrNotFound if it is unknown or cancelled.
	Get(ctx context.Context, id uuid.UUID) (Task, error)
	// List returns a page of tasks, newest first. It leaves out cancelled tasks, and of each task payload, metadata,
	// attempts and a result of more than MaxListedResult bytes.
	List(ctx context.Context, page Page) ([]Task, error)
	// Cancel makes a visible task cancelled, or returns ErrNotFound.
	Cancel(ctx context.Context, id uuid.UUID) error
	// Retry makes a failed task pending again, with all its attempts before it, and returns it. The records of earlier
	// attempts stay. It returns ErrNotFound, or ErrNotFailed for another status.
	Retry(ctx context.Context, id uuid.UUID) (Task, error)
	// Update changes a pending task and returns it. It returns ErrNotFound, or ErrNotWaiting for another status.
	Update(ctx context.Context, id uuid.UUID, change Change) (Task, error)
}

// Attempts are the steps of the workers. The attempt number from Claim is the fencing token of the other methods. They
// return ErrLeaseLost if the task was deleted, has ended or belongs to a later attempt.
type Attempts interface {
	// Claim makes the best task that may start running, and returns it. It counts the attempt. The lease ends after
	// rules.Lease unless Heartbeat extends it. Claim returns ErrNothingToClaim if no task may start.
	//
	// A task may start if it is pending, due and not expired, and if its type and key are below their limits. The best
	// task belongs to the fairness key with the smallest share of the running tasks; of several such keys, to the least
	// recently served. Within the key, priority decides, then age. Concurrent claims run one after the other, so that
	// each sees the last one's choice.
	Claim(ctx context.Context, rules ClaimRules) (Task, error)
	// Heartbeat extends the lease of a running attempt to the given time from now. Like Complete, Fail and Requeue, it
	// stores the progress unless it is nil.
	Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration, progress *Progress) error
	// Complete ends a running attempt and its task with the result, a JSON value.
	Complete(ctx context.Context, id uuid.UUID, attempt int, result json.RawMessage, progress *Progress) error
	// Fail ends a running attempt and its task for good with the reason.
	Fail(ctx context.Context, id uuid.UUID, attempt int, reason string, progress *Progress) error
	// Requeue ends a running attempt and makes its task pending again, due after the given time. If it was the last of
	// maxAttempts, the task fails as by Fail, and again is false. A task's own MaxAttempts takes precedence.
	Requeue(ctx context.Context, id uuid.UUID, attempt int, reason string, after time.Duration, maxAttempts int, progress *Progress) (again bool, err error)
	// Release returns the task of a running attempt as if nobody had claimed it: pending, and due after the given time.
	// The claim neither counts towards MaxAttempts nor leaves a record. The next claim still has a new fencing token.
	Release(ctx context.Context, id uuid.UUID, attempt int, after time.Duration) error
	// Load reports how many tasks wait, up to most, and how many run. It tells whether another worker is worth
	// starting.
	Load(ctx context.Context, most int) (Load, error)
}

// ClaimRules are the criteria of a claim besides the tasks themselves.
type ClaimRules struct {
	// Lease is how long the claim holds without a heartbeat.
	Lease time.Duration
	// Limits are the limits of types; a type without an entry has none.
	Limits map[string]Limit
	// Weights are the relative shares of fairness keys; a key without an entry has weight 1.
	Weights map[string]float64
}

// Limit bounds how many tasks of a type run at once. The zero value is no limit.
type Limit struct {
	// MaxRunning limits the tasks of the type, MaxRunningPerKey those with one fairness key; 0 means no limit.
	MaxRunning, MaxRunningPerKey int
	// Closed means that no task of the type may be claimed now.
	Closed bool
}

// Load counts the tasks to do.
type Load struct {
	// Waiting tasks are pending and due. The count ends at the requested maximum.
	Waiting int
	// Running tasks are held by workers, or by dead workers until their leases expire.
	Running int
}

// Upkeep are the steps of the sweeper. Any number of sweepers may run at once: each skips the rows that another works
// on.
type Upkeep interface {
	// Load is the method of Attempts.
	Load(ctx context.Context, most int) (Load, error)
	// Wake makes up to limit tasks due whose time has come, and returns how many. A claim does so too.
	Wake(ctx context.Context, limit int) (int, error)
	// Announce returns the permits of up to limit tasks that are due within MaxDelay and have none yet, since their
	// time was too far away for a delayed permit. It returns each permit once.
	Announce(ctx context.Context, limit int) ([]Permit, error)
	// Expire fails up to limit tasks that have not started by their ExpiresAt, and returns their ids.
	Expire(ctx context.Context, limit int) ([]uuid.UUID, error)
	// Rescue takes up to limit running tasks whose lease has expired. It makes them pending and due after
	// backoff(attempt), or fails them after their last attempt. It returns them in no particular order.
	Rescue(ctx context.Context, limit int, retry RetryPolicy) ([]Rescued, error)
	// Purge deletes up to limit rows of each kind that are older than their retention, and returns how many.
	Purge(ctx context.Context, limit int, keep Retention) (int, error)
}

// Expired is the error of a task that did not start by its ExpiresAt.
const Expired = "the task expired before it could start"

// Key makes a submission idempotent. The zero value is a submission without a key.
type Key struct {
	// Name is the client's Idempotency-Key.
	Name string
	// Request is a hash of the request, which distinguishes a repetition from another request with the same key.
	Request []byte
}

// KeyLifetime is how long a Key is remembered.
const KeyLifetime = 24 * time.Hour

// RetryPolicy says what happens after an attempt whose worker died.
type RetryPolicy struct {
	// MaxAttempts is the number of all attempts, at least 1, unless the task itself says otherwise.
	MaxAttempts int
	// Backoff is the wait after the first attempt; it doubles with each further one. 0 retries at once.
	Backoff time.Duration
	// Reason is stored as the task's error.
	Reason string
}

// Rescued is the outcome of a rescued task.
type Rescued struct {
	ID          uuid.UUID
	FairnessKey string
	// Attempt is the fencing token of the last claim; 0 if there was none.
	Attempt int
	// Failed means that the task had no attempt left; otherwise it is pending again.
	Failed bool
	// Due is the time until the next attempt, the policy's backoff. It has no meaning if Failed.
	Due time.Duration
}

// Retention is how long rows are kept after their last use.
type Retention struct {
	// Ended is for completed and failed tasks, from their end.
	Ended time.Duration
	// Cancelled is for deleted tasks, from their deletion.
	Cancelled time.Duration
}

// Page selects a part of the list of tasks.
type Page struct {
	// Limit is the maximum number of tasks; the zero value means DefaultPageLimit. Stores accept one more than
	// MaxPageLimit, so that a caller sees whether there is a next page.
	Limit int
	// Before is the cursor: only older tasks than this id. The zero value starts at the newest.
	Before uuid.UUID
	// Status selects the tasks in this state; the zero value selects all visible ones.
	Status Status
	// Type, FairnessKey and Owner select the tasks with this value, and Tag those that have it among their tags. The
	// zero value selects all.
	Type, FairnessKey, Owner, Tag string
}

const (
	// DefaultPageLimit is the page size if the client names none.
	DefaultPageLimit = 100
	// MaxPageLimit is the largest page: a thousand tasks stay far below Lambda's 6 MB answer.
	MaxPageLimit = 1000
	// MaxListedResult is the size in bytes above which a list omits a result.
	MaxListedResult = 4 << 10
)

// Bounds returns a store's criteria: the id that all tasks of the page are older than, and their maximum number.
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
	// Send sends permits. Nobody receives a permit before its delay has passed. Delivery is at least once. If Send
	// fails, it may have sent any of them.
	Send(ctx context.Context, permits ...Permit) error
}

// Permit tells a worker that one more task may start. The worker chooses which.
type Permit struct {
	// Task is the task for which the permit is sent, a hint to human readers of the message; uuid.Nil if there is none.
	Task uuid.UUID
	// FairnessKey lets the queue be fair if more permits wait than workers take; empty without a key.
	FairnessKey string
	// Delay is at most MaxDelay.
	Delay time.Duration
	// Trace is the X-Ray header of the message; empty means the context's own.
	Trace string
}
