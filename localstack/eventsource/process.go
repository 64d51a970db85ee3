package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// The pauses before a throttled invocation is tried again: each is twice the last one.
const (
	firstBackoff = 100 * time.Millisecond
	mostBackoff  = 10 * time.Second
)

// process invokes the function with a batch and settles the batch. It answers whether the function was throttled.
func (m *Mapping) process(ctx context.Context, batch []sqs.Message) (throttled bool) {
	payload, err := json.Marshal(m.event(batch))
	if err != nil {
		m.log("mapping %s: encode event: %v", m.config.Name, err)
		return false
	}
	response, functionError, throttled, err := m.invoke(ctx, batch, payload)
	switch {
	case err != nil && throttled && ctx.Err() != nil:
		m.giveBack(batch) // the function has not seen it
	case err != nil && throttled:
		m.log("mapping %s: function %s stayed throttled until the visibility of %s ended", m.config.Name, m.config.Function, names(batch))
	case err != nil && ctx.Err() != nil: // the stack stops; a restart makes the messages visible
	case err != nil:
		m.log("mapping %s: %s left in the queue: %v", m.config.Name, names(batch), err)
	case functionError != "":
		m.log("mapping %s: %s left in the queue: function %s failed: %s", m.config.Name, names(batch), m.config.Function, functionError)
	default:
		m.settle(batch, response)
	}
	return throttled
}

// invoke tries until the function is not throttled, the batch's visibility has ended or ctx ends. throttled is whether
// it was throttled at all; with an error, whether that was the last attempt's.
func (m *Mapping) invoke(ctx context.Context, batch []sqs.Message, payload []byte) (response []byte, functionError string, throttled bool, err error) {
	end := batch[0].VisibleAt // of the first received, which ends first
	for backoff := firstBackoff; ; backoff = min(2*backoff, mostBackoff) {
		response, functionError, err = m.invoker.Invoke(ctx, m.config.Function, payload, traceID(batch))
		if err == nil || !m.config.Throttled(err) {
			return response, functionError, throttled && err == nil, err
		}
		throttled = true
		if time.Until(end) <= backoff || !pause(ctx, backoff) {
			return nil, "", true, err
		}
	}
}

// settle deletes what the function has done.
func (m *Mapping) settle(batch []sqs.Message, response []byte) {
	failed := map[string]bool{}
	if m.config.ReportBatchItemFailures {
		var err error
		if failed, err = failures(batch, response); err != nil {
			m.log("mapping %s: %s left in the queue: %v", m.config.Name, names(batch), err)
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
		m.log("mapping %s: %v", m.config.Name, err)
	}
}

// traceID is the trace of a batch of one. A batch of several has no one trace: Lambda links them instead.
func traceID(batch []sqs.Message) string {
	if len(batch) != 1 {
		return ""
	}
	return batch[0].SystemAttributes["AWSTraceHeader"]
}
