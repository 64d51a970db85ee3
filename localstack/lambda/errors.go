package lambda

import (
	"errors"
	"fmt"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// ErrNotFound is wrapped by errors about a function that was never added.
var ErrNotFound = errors.New("function not found")

// ErrClosed is returned for what Close has ended or kept from starting.
var ErrClosed = errors.New("the local Lambda is closed")

// The reasons of a throttle, as Lambda names them in TooManyRequestsException.
const (
	reasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
	reasonAccount  = "ConcurrentInvocationLimitExceeded"
	reasonQueue    = "CallerRateLimitExceeded"
)

// TooManyRequestsError is returned at once when a function is at the limit of its concurrency: Lambda does not queue.
type TooManyRequestsError struct {
	// Function is the function's name.
	Function string
	// Reason is Lambda's word for the limit: ReservedFunctionConcurrentInvocationLimitExceeded,
	// ConcurrentInvocationLimitExceeded (the account's limit), or CallerRateLimitExceeded (too many asynchronous events).
	Reason string
}

// Is makes the error a spec.ErrThrottled.
func (e *TooManyRequestsError) Is(target error) bool { return target == spec.ErrThrottled }

// Error says which function was throttled and why.
func (e *TooManyRequestsError) Error() string {
	return fmt.Sprintf("function %s is throttled: %s", e.Function, e.Reason)
}

// PayloadTooLargeError is returned for a request that is larger than Lambda takes.
type PayloadTooLargeError struct {
	// Size and Limit are in bytes.
	Size, Limit int
	// InvocationType is RequestResponse or Event.
	InvocationType string
}

// Error has the words of Lambda.
func (e *PayloadTooLargeError) Error() string {
	return fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)",
		e.Size, e.InvocationType, e.Limit)
}
