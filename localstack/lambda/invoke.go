package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// version is the only version of a function that there is locally.
const version = "$LATEST"

// maxPayload is the size of the largest request of a synchronous invocation, in bytes, and maxAnswer that of the
// largest answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (6 MB each).
const (
	maxPayload = 6 << 20
	maxAnswer  = 6<<20 + 100
)

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

	out  *spec.Output
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
func (a *answer) output(requestID string) *spec.Output {
	out := &spec.Output{Payload: a.payload, RequestID: requestID}
	if a.failed {
		out.FunctionError = unhandled
	}
	return out
}

func (s *Service) newInvocation(in spec.Input) *invocation {
	i := &invocation{id: uuid.NewString(), payload: in.Payload, context: oneLine(in.ClientContext), trace: in.TraceID,
		tail: in.LogTail, done: make(chan struct{})}
	if len(i.payload) == 0 {
		i.payload = []byte("{}")
	}
	// What HTTP cannot carry would break the environment, which reads both from headers.
	if i.trace == "" || !listen.ValidHeaderValue(i.trace) {
		i.trace = newTrace(time.Now())
	}
	return i
}

// oneLine writes JSON for a header. Its texts may hold DEL, which a header may not.
func oneLine(text string) string {
	if text == "" {
		return ""
	}
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(text)); err != nil {
		return ""
	}
	return strings.ReplaceAll(line.String(), "\x7f", `\u007f`)
}

// Invoke runs a function and waits for its answer. That the function itself fails is no error, see Output. As on AWS, the
// answer is passed on when the runtime posts it: what the runtime does from then until it asks for its next invocation
// costs the caller no time.
//
// Errors: ErrNotFound, *TooManyRequestsError when the function's concurrency is used up, *PayloadTooLargeError,
// ErrClosed, and ctx's. When ctx ends first, only the caller leaves: as on AWS, the invocation goes on.
func (s *Service) Invoke(ctx context.Context, name string, in spec.Input) (*spec.Output, error) {
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
