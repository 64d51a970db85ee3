package job

import (
	"errors"
	"time"
)

// Retryable marks a job's error as worth another attempt; unmarked errors fail the task at once. The task waits at
// least after, 0 or less being no wait, and is tried again as long as this was not the last of MaxAttempts, else it
// fails with the error. The error stays visible on the task until it completes.
//
// The sweeper sends the task again, which runs every minute: the wait is after, rounded up to the next sweep. A worker
// could not do it sooner without the right to send messages, and a task of minutes does not need it. Work that is to be
// repeated within seconds is repeated by the job itself.
//
// Retryable(nil, …) is nil.
func Retryable(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryable{err, max(after, 0)}
}

// RetryAfter is the wait of an error that Retryable marked, at any depth. ok is false for others.
func RetryAfter(err error) (after time.Duration, ok bool) {
	var r *retryable
	if !errors.As(err, &r) {
		return 0, false
	}
	return r.after, true
}

type retryable struct {
	error
	after time.Duration
}

func (r *retryable) Unwrap() error { return r.error }
