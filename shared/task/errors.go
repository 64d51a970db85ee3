package task

import "errors"

// The errors that callers distinguish with errors.Is. Stores and queues wrap them with the operation that failed.
var (
	// ErrNotFound means that no task has this id, or that it was deleted.
	ErrNotFound = errors.New("task not found")
	// ErrNoResult means that the task exists and has not completed.
	ErrNoResult = errors.New("task running or failed, no result, check status")
	// ErrNothingToClaim means that no task may start now. The worker drops the permit of the claim.
	ErrNothingToClaim = errors.New("no task may start now")
	// ErrLeaseLost means that this attempt no longer holds the task: it was deleted, has ended, or a later attempt
	// claimed it.
	ErrLeaseLost = errors.New("task lease lost")
	// ErrKeyReused means that the idempotency key belongs to another request.
	ErrKeyReused = errors.New("idempotency key used with another request")
	// ErrNotFailed means that the task cannot be retried, since it has not failed.
	ErrNotFailed = errors.New("only a failed task can be retried")
	// ErrNotWaiting means that the task cannot be changed, since it does not wait to start.
	ErrNotWaiting = errors.New("only a task that waits to start can be changed")
	// ErrUnavailable means that the store is unreachable; the same call may succeed later.
	ErrUnavailable = errors.New("store unavailable")
)
