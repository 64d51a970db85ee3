package task

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps tasks. Every method is one atomic step of the state machine (see Status) and safe for concurrent use by
// many processes. An error that comes from an unreachable store wraps ErrUnavailable.
type Store interface {
	// Create writes a new pending task that is not yet marked as enqueued and returns it.
	Create(ctx context.Context, id uuid.UUID) (Task, error)
	// MarkEnqueued notes that the task's message is in the queue. Losing this write does no harm.
	MarkEnqueued(ctx context.Context, id uuid.UUID) error
	// Get returns a task, or ErrNotFound when it is unknown or cancelled.
	Get(ctx context.Context, id uuid.UUID) (Task, error)
	// List returns a page of tasks that are not cancelled, newest first.
	List(ctx context.Context, page Page) ([]Task, error)
	// Cancel makes any visible task cancelled, or returns ErrNotFound.
	Cancel(ctx context.Context, id uuid.UUID) error

	// Claim makes a task running if it is pending, or if it is running and its lease has expired. The claim's lease
	// ends after the given time unless Heartbeat extends it. It returns the attempt, the fencing token for the calls
	// below, or ErrNotClaimable.
	Claim(ctx context.Context, id uuid.UUID, lease time.Duration) (attempt int, err error)
	// Heartbeat extends the lease of a running attempt to the given time from now, or returns ErrLeaseLost.
	Heartbeat(ctx context.Context, id uuid.UUID, attempt int, lease time.Duration) error
	// Complete ends a running attempt with its result, or returns ErrLeaseLost.
	Complete(ctx context.Context, id uuid.UUID, attempt int, result string) error
	// Fail ends a running attempt for good with the reason, or returns ErrLeaseLost.
	Fail(ctx context.Context, id uuid.UUID, attempt int, reason string) error

	// Close gives back the store's connections.
	Close()
}

// Page selects a part of the list of tasks.
type Page struct {
	// Limit is the most tasks to return, 1 to MaxPageLimit; the zero value is DefaultPageLimit.
	Limit int
	// Before is the cursor: only tasks older than this id. The zero value starts at the newest.
	Before uuid.UUID
	// Status keeps only tasks in this state; the zero value keeps all visible ones.
	Status Status
}

const (
	// DefaultPageLimit is the page size where the client names none.
	DefaultPageLimit = 100
	// MaxPageLimit is the largest page: a thousand tasks stay far below Lambda's 6 MB answer.
	MaxPageLimit = 1000
)

// Queue sends tasks to the workers.
type Queue interface {
	// Send enqueues one message that names the task. Delivery is at least once.
	Send(ctx context.Context, id uuid.UUID) error
}
