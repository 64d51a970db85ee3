package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// version is the only version of a function.
const version = "$LATEST"

// maxPayload is the maximum size of a synchronous request in bytes, and maxAnswer that of its answer (6 MB each), see
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	maxPayload = 6 << 20
	maxAnswer  = 6<<20 + 100
)

// invocation is one event on its way. function.mu guards the fields from start to ended.
type invocation struct {
	id      string
	payload []byte
	context string // client context
	trace   string
	tail    bool // the caller waits for the end of the log

	start     time.Time
	placed    bool    // it has a slot and counts in function.busy
	delivered bool    // an environment has received it
	answer    *answer // nil until the environment responds
	ended     bool    // the caller has the output, or is about to get it

	out  *spec.Output
	err  error
	done chan struct{} // closed when out or err is set
}

// answer is the answer of an environment to an invocation, or of the service instead.
type answer struct {
	payload []byte
	failed  bool
	status  string // for the log: "timeout" or "error" if the environment did not survive
	kind    string // the error type that belongs to status
	line    string // an additional log line; may be empty
}

// output returns the answer as callers get it.
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
	if !awsid.ValidTrace(i.trace) { // the environment reads it from a header

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

// Invoke runs a function and returns its answer. A failure of the function itself is not an error, see spec.Output. As on
// AWS, the caller gets the answer when the runtime posts it, before the runtime asks for its next invocation.
//
// Errors: ErrNotFound, *TooManyRequestsError if the function has used up its concurrency, *PayloadTooLargeError,
// ErrClosed, and that of ctx. If ctx ends first, only the caller leaves: as on AWS, the invocation goes on.
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

// Init starts one environment of a function, unless one is idle or has just responded, and waits until it asks for its
// first invocation. The error has the exit status and the last lines of the environment, or says that it did not ask within
// Options.InitTimeout. Init does not start a function with a reserved concurrency of 0.
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

// newTrace returns a new X-Ray trace header that is not sampled:
// Root=1-{8 hex digits: time}-{24 hex digits};Parent={16 hex digits};Sampled=0.
func newTrace(now time.Time) string {
	b := make([]byte, 0, 80)
	b = append(b, "Root=1-"...)
	b = appendHex(b, uint64(now.Unix()), 8)
	b = append(b, '-')
	b = appendHex(b, rand.Uint64(), 16)
	b = appendHex(b, rand.Uint64(), 8)
	b = append(b, ";Parent="...)
	b = appendHex(b, rand.Uint64(), 16)
	b = append(b, ";Sampled=0"...)
	return string(b)
}

// appendHex appends the last digits of n.
func appendHex(b []byte, n uint64, digits int) []byte {
	var text [17]byte
	hex := strconv.AppendUint(text[:0], n|1<<63, 16) // always 16 digits
	return append(b, hex[16-digits:]...)
}
