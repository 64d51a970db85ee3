package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// ErrNotFound reports a function that was never added.
var ErrNotFound = errors.New("function not found")

// ErrClosed reports that Close ended an invocation or prevented its start.
var ErrClosed = errors.New("the local Lambda is closed")

// The reasons for a throttle, as TooManyRequestsException names them.
const (
	reasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
	reasonAccount  = "ConcurrentInvocationLimitExceeded"
	reasonQueue    = "CallerRateLimitExceeded"
)

// TooManyRequestsError reports that a function has used up its concurrency. Lambda does not queue invocations.
type TooManyRequestsError struct {
	// Function is the name of the function.
	Function string
	// Reason names the limit as Lambda does: ReservedFunctionConcurrentInvocationLimitExceeded,
	// ConcurrentInvocationLimitExceeded (the limit of the account), or CallerRateLimitExceeded (too many asynchronous
	// events).
	Reason string
}

// Is makes the error a spec.ErrThrottled.
func (e *TooManyRequestsError) Is(target error) bool { return target == spec.ErrThrottled }

// Error names the function and the reason.
func (e *TooManyRequestsError) Error() string {
	return fmt.Sprintf("function %s is throttled: %s", e.Function, e.Reason)
}

// PayloadTooLargeError reports a request that is larger than Lambda allows.
type PayloadTooLargeError struct {
	// Size and Limit are in bytes.
	Size, Limit int
	// InvocationType is RequestResponse or Event.
	InvocationType string
}

// Error returns the message of Lambda.
func (e *PayloadTooLargeError) Error() string {
	return fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)",
		e.Size, e.InvocationType, e.Limit)
}

// unhandled is the value of FunctionError and X-Amz-Function-Error. Lambda has no other value for custom runtimes.
const unhandled = "Unhandled"

// The error types of Lambda itself.
const (
	kindTimeout = "Sandbox.Timedout"
	kindExit    = "Runtime.ExitError"
	kindTooBig  = "Function.ResponseSizeTooLarge"
)

// failure is an error that Lambda reports instead of a function.
type failure struct {
	kind  string
	text  string
	after time.Duration // for kindTimeout, instead of text
}

// answer returns the failure as the caller of an invocation gets it.
func (f failure) answer(requestID string) *answer {
	a := &answer{failed: true, status: "error", kind: f.kind}
	message := "RequestId: " + requestID + " Error: " + f.text
	if f.kind == kindTimeout {
		a.status = "timeout"
		message = time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + requestID +
			" Task timed out after " + strconv.FormatFloat(f.after.Seconds(), 'f', 2, 64) + " seconds"
	}
	a.line = message
	a.payload = errorJSON(f.kind, message)
	return a
}

// errorJSON returns the error of a function in the form of the runtimes.
func errorJSON(kind, message string) []byte {
	text, _ := json.Marshal(struct { // strings always encode
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{kind, message})
	return text
}
