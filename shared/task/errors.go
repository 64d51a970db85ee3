package task

import "errors"

// The errors that callers tell apart with errors.Is. Stores and queues wrap them with the operation that failed.
var (
	// ErrNotFound says that no task has this id, or that it was deleted.
	ErrNotFound = errors.New("task not found")
	// ErrNoResult says that the task exists and has not completed.
	ErrNoResult = errors.New("task running or failed, no result, check status")
	// ErrNothingToClaim says that no task may start now. The permit that led to the claim is done.
	ErrNothingToClaim = errors.New("no task may start now")
	// ErrLeaseLost says that this attempt holds the task no more: it was deleted, ended, or claimed by a later attempt.
	ErrLeaseLost = errors.New("task lease lost")
	// ErrKeyReused says that the idempotency key belongs to another request.
	ErrKeyReused = errors.New("idempotency key used with another request")
	// ErrNotFailed says that the task cannot be retried, since it has not failed.
	ErrNotFailed = errors.New("only a failed task can be retried")
	// ErrNotWaiting says that the task cannot be changed, since it does not wait to start any more.
	ErrNotWaiting = errors.New("only a task that waits to start can be changed")
	// ErrUnavailable says that the store cannot be reached; the same call may succeed later.
	ErrUnavailable = errors.New("store unavailable")
)
