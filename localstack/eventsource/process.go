package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// The pauses before retries of a throttled invocation. Each is twice the last one.
const (
	firstBackoff = 100 * time.Millisecond
	mostBackoff  = 10 * time.Second
)

// process invokes the function with a batch and settles the batch. It reports whether the function was throttled.
func (m *Mapping) process(ctx context.Context, batch []sqs.Message) (throttled bool) {
	payload, err := json.Marshal(m.event(batch))
	if err != nil {
		m.log("mapping %s: encode event: %v", m.spec.LogicalID, err)
		return false
	}
	out, throttled, err := m.invoke(ctx, batch, payload)
	switch {
	case err != nil && throttled && ctx.Err() != nil:
		m.giveBack(batch) // the function has not seen it
	case err != nil && throttled:
		m.log("mapping %s: function %s stayed throttled until the visibility of %s ended", m.spec.LogicalID, m.spec.Function, names(batch))
	case err != nil && ctx.Err() != nil: // the stack stops; a restart makes the messages visible
	case err != nil:
		m.log("mapping %s: %s left in the queue: %v", m.spec.LogicalID, names(batch), err)
	case out.FunctionError != "":
		m.log("mapping %s: %s left in the queue: function %s failed: %s", m.spec.LogicalID, names(batch), m.spec.Function, out.FunctionError)
	default:
		m.settle(batch, out.Payload)
	}
	return throttled
}

// invoke retries while the function is throttled, until the batch's visibility or ctx ends. throttled reports whether
// any attempt was throttled; with an error, whether the last one was.
func (m *Mapping) invoke(ctx context.Context, batch []sqs.Message, payload []byte) (out *spec.Output, throttled bool, err error) {
	end := batch[0].VisibleAt // the first received message ends first
	for backoff := firstBackoff; ; backoff = min(2*backoff, mostBackoff) {
		out, err = m.invoker.Invoke(ctx, m.spec.Function, spec.Input{Payload: payload, TraceID: traceID(batch)})
		if err == nil || !errors.Is(err, spec.ErrThrottled) {
			return out, throttled && err == nil, err
		}
		throttled = true
		if time.Until(end) <= backoff || !pause(ctx, backoff) {
			return nil, true, err
		}
	}
}

// settle deletes the messages that the function has processed.
func (m *Mapping) settle(batch []sqs.Message, response []byte) {
	failed := map[string]bool{}
	if m.spec.ReportBatchItemFailures {
		var err error
		if failed, err = failures(batch, response); err != nil {
			m.log("mapping %s: %s left in the queue: %v", m.spec.LogicalID, names(batch), err)
			return
		}
	}
	var done []string
	for _, message := range batch {
		if !failed[message.ID] {
			done = append(done, message.ReceiptHandle)
		}
	}
	if len(done) == 0 {
		return
	}
	if err := m.queue.Delete(done...); err != nil && !errors.Is(err, context.Canceled) {
		m.log("mapping %s: %v", m.spec.LogicalID, err)
	}
}

// traceID is the trace of a batch with one message. Lambda links the traces of several, so there it is "".
func traceID(batch []sqs.Message) string {
	if len(batch) != 1 {
		return ""
	}
	return batch[0].SystemAttributes["AWSTraceHeader"]
}
