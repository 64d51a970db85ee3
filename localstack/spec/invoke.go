package spec

import (
	"context"
	"errors"
)

// Invoker runs functions. *lambda.Service is one.
type Invoker interface {
	// Invoke runs the function with a name and waits for its answer. A function that fails is no error: see
	// Output.FunctionError. An error means that the function was not run, as with ErrThrottled, or that ctx ended; the
	// invocation then goes on without its caller, as on AWS.
	Invoke(ctx context.Context, function string, in Input) (*Output, error)
}

// ErrThrottled is wrapped by the errors of a function without free concurrency. A later invocation may succeed.
var ErrThrottled = errors.New("the function is throttled")

// Input is a request to a function. The zero value is the event {}.
type Input struct {
	// Payload is the event, usually JSON. It must not be changed until the invocation has ended. Empty means {}.
	Payload []byte
	// ClientContext is the client context as JSON (not in base64). Empty: none.
	ClientContext string
	// TraceID is the X-Ray trace header. Empty: a new one, not sampled.
	TraceID string
	// LogTail asks for Output.LogTail. The caller then waits until the log of the invocation has ended, which is a little
	// later than the function's answer.
	LogTail bool
}

// Output is the end of an invocation.
type Output struct {
	// Payload is the function's answer, or a JSON object with errorType and errorMessage if FunctionError is set.
	// It is passed on as the function gave it, also when it is not JSON.
	Payload []byte
	// FunctionError is "Unhandled" if the function failed, exited or exceeded its timeout; else empty.
	FunctionError string
	// RequestID is the id of the invocation, as in the log.
	RequestID string
	// LogTail holds the last 4 KB of the invocation's log lines, Lambda's own included, if Input.LogTail asked for them.
	LogTail []byte
}
