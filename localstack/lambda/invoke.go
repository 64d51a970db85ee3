package lambda

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// version is the only version of a function that there is locally.
const version = "$LATEST"

// maxPayload is the size of the largest request of a synchronous invocation, in bytes, and maxAnswer that of the
// largest answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (6 MB each).
const (
	maxPayload = 6 << 20
	maxAnswer  = 6<<20 + 100
)

// Input is a request to a function.
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

// invocation is one event on its way. From start to ended its fields are guarded by function.mu.
type invocation struct {
	id      string
	payload []byte
	context string // client context
	trace   string
	tail    bool // its caller waits for the end of its log

	start     time.Time
	placed    bool    // it has a place in the concurrency and counts in function.busy
	delivered bool    // an environment has asked for it
	answer    *answer // once the environment has given one
	ended     bool    // its caller has been told, or is about to be

	out  *Output
	err  error
	done chan struct{} // closed when out or err is set
}

// answer is what an environment, or the service in its place, makes of an invocation.
type answer struct {
	payload []byte
	failed  bool
	status  string // for the log: "timeout" or "error" if the environment did not survive
	kind    string // the error type that belongs to status
	line    string // for the log as well; may be empty
}

// output is the answer as callers get it.
func (a *answer) output(requestID string) *Output {
	out := &Output{Payload: a.payload, RequestID: requestID}
	if a.failed {
		out.FunctionError = unhandled
	}
	return out
}

func (s *Service) newInvocation(in Input) *invocation {
	i := &invocation{id: uuid.NewString(), payload: in.Payload, context: in.ClientContext, trace: in.TraceID,
		tail: in.LogTail, done: make(chan struct{})}
	if len(i.payload) == 0 {
		i.payload = []byte("{}")
	}
	if i.trace == "" {
		i.trace = newTrace(time.Now())
	}
	return i
}

// Invoke runs a function and waits for its answer. That the function itself fails is no error, see Output. As on AWS, the
// answer is passed on when the runtime posts it: what the runtime does from then until it asks for its next invocation
// costs the caller no time.
//
// Errors: ErrNotFound, *TooManyRequestsError when the function's concurrency is used up, *PayloadTooLargeError,
// ErrClosed, and ctx's. When ctx ends first, only the caller leaves: as on AWS, the invocation goes on.
func (s *Service) Invoke(ctx context.Context, name string, in Input) (*Output, error) {
	f, err := s.function(name)
	if err != nil {
		return nil, fmt.Errorf("invoke: %w", err)
	}
	if len(in.Payload) > maxPayload {
		return nil, fmt.Errorf("invoke function %s: %w", name,
			&PayloadTooLargeError{Size: len(in.Payload), Limit: maxPayload, InvocationType: typeRequestResponse})
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("invoke function %s: %w", name, err)
	}
	i := s.newInvocation(in)
	if !f.admit(i) {
		return nil, &TooManyRequestsError{Function: name, Reason: f.limit.reason}
	}
	select {
	case <-i.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("invoke function %s: %w", name, ctx.Err())
	}
	if i.err != nil {
		return nil, fmt.Errorf("invoke function %s: %w", name, i.err)
	}
	return i.out, nil
}

// Init starts one environment of a function, unless one is idle already or has just answered, and waits until it asks for
// its first invocation. The error says what went wrong: the exit status and the last lines that it wrote, or that it did
// not ask within Options.InitTimeout. A function with a reserved concurrency of 0 is not started.
func (s *Service) Init(ctx context.Context, name string) error {
	f, err := s.function(name)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if f.limit.limit == 0 || f.initialised() {
		return nil
	}
	if !f.limit.take() {
		return &TooManyRequestsError{Function: name, Reason: f.limit.reason}
	}
	defer f.limit.release()
	e, err := f.warm()
	if err != nil {
		return err
	}
	select {
	case <-e.ready:
		if e.initErr != nil {
			return fmt.Errorf("init function %s: %w", name, e.initErr)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("init function %s: %w", name, ctx.Err())
	}
}
