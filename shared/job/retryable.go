package job

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Retryable marks a job's error as worth another attempt; an unmarked error fails the task at once. The next attempt
// begins once after has passed; an after of 0 or less is Backoff. The last of MaxAttempts fails the task with the error.
// The error stays visible on the task until it completes.
//
// Retryable(nil, …) is nil.
func Retryable(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryable{err, max(after, 0)}
}

// RetryAfter is the wait before the attempt that follows a given one (1 is the first), for an error that Retryable
// marked at any depth. ok is false for any other error.
func RetryAfter(err error, attempt int) (after time.Duration, ok bool) {
	var r *retryable
	if !errors.As(err, &r) {
		return 0, false
	}
	if r.after == 0 {
		return Backoff(attempt), true
	}
	return r.after, true
}

type retryable struct {
	error
	after time.Duration
}

func (r *retryable) Unwrap() error { return r.error }

// The bounds of Backoff, before its jitter.
const (
	firstBackoff   = 5 * time.Second
	longestBackoff = 15 * time.Minute
)

// Backoff is the wait after a failed attempt (1 is the first) that has no wait of its own: 5 seconds, doubled with each
// further attempt up to 15 minutes, of which a random half is taken off, so that tasks that failed together do not come
// back together.
func Backoff(attempt int) time.Duration {
	longest := longestBackoff
	if doublings := attempt - 1; doublings < 10 {
		longest = min(longestBackoff, firstBackoff<<max(doublings, 0))
	}
	return longest - rand.N(longest/2+1)
}
