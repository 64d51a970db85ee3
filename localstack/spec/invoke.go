package spec

import (
	"context"
	"errors"
)

// Invoker runs functions, such as *lambda.Service.
type Invoker interface {
	// Invoke runs the function with a name and waits for its answer. A failure of the function is not an error: see
	// Output.FunctionError. An error means that the function did not run, as with ErrThrottled, or that ctx ended. In
	// the latter case the invocation goes on without its caller, as on AWS.
	Invoke(ctx context.Context, function string, in Input) (*Output, error)
}

// ErrThrottled means that a function has no free concurrency. A later invocation may succeed.
var ErrThrottled = errors.New("the function is throttled")

// Input is a request to a function. The zero value is the event {}.
type Input struct {
	// Payload is the event, usually JSON. Do not change it until the invocation has ended. Empty means {}.
	Payload []byte
	// ClientContext is the client context as JSON (not in base64). Empty: none.
	ClientContext string
	// TraceID is the X-Ray trace header. Empty: a new one, not sampled.
	TraceID string
	// LogTail requests Output.LogTail. The caller then waits for the end of the invocation's log, which is a little
	// later than the function's answer.
	LogTail bool
}

// Output is the result of an invocation.
type Output struct {
	// Payload is the function's answer unchanged, even if it is not JSON. If FunctionError is set, it is a JSON object
	// with errorType and errorMessage.
	Payload []byte
	// FunctionError is "Unhandled" if the function failed, exited or exceeded its timeout; else empty.
	FunctionError string
	// RequestID is the id of the invocation, as in the log.
	RequestID string
	// LogTail holds the last 4 KB of the invocation's log lines, Lambda's own included, if Input.LogTail requested
	// them.
	LogTail []byte
}
