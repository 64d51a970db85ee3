package eventsource

import (
	"cmp"
	"context"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// Queue is the queue that a mapping reads, such as *sqs.Queue.
type Queue interface {
	// Receive waits up to wait for messages, and returns up to max of them.
	Receive(ctx context.Context, max int, wait time.Duration) ([]sqs.Message, error)
	// Delete deletes the messages of receipt handles.
	Delete(receiptHandles ...string) error
	// ChangeVisibility hides a message for timeout from now on.
	ChangeVisibility(receiptHandle string, timeout time.Duration) error
}

// Mapping invokes a function with the messages of a queue.
type Mapping struct {
	spec    spec.Mapping
	queue   Queue
	invoker spec.Invoker
	log     func(format string, args ...any)
	slots   *slots
	carried []sqs.Message // received, but the last batch was full; only the poller uses it
}

const (
	// poll is how long a receive waits for messages.
	poll = 20 * time.Second
	// maxPayload is Lambda's limit of 6 MB, less room for the event around the messages.
	maxPayload = 6<<20 - 64<<10
	// recovery is how long the poller waits after a failed receive.
	recovery = time.Second
)

// New returns a mapping; Run starts it. log gets a line for each failure; nil drops the lines.
func New(m spec.Mapping, queue Queue, invoker spec.Invoker, log func(format string, args ...any)) *Mapping {
	m.BatchSize = cmp.Or(m.BatchSize, 10)
	if log == nil {
		log = func(string, ...any) {}
	}
	return &Mapping{spec: m, queue: queue, invoker: invoker, log: log, slots: newSlots(m.MaximumConcurrency)}
}

// Run reads the queue until ctx ends. Then it makes visible the messages that it received and did not process, and
// waits for the invocations, which end with ctx too. Their messages come back when their visibility ends. Call Run
// once.
func (m *Mapping) Run(ctx context.Context) {
	defer m.slots.wait()
	defer func() { m.giveBack(m.carried) }()
	for m.slots.acquire(ctx) {
		batch := m.receive(ctx)
		if len(batch) == 0 {
			m.slots.release()
			continue
		}
		if ctx.Err() != nil {
			m.giveBack(batch)
			m.slots.release()
			continue
		}
		m.slots.run(func() bool { return m.process(ctx, batch) })
	}
}

// receive waits for a batch. It returns an empty one if no message arrives in time.
func (m *Mapping) receive(ctx context.Context) []sqs.Message {
	batch, full := m.fill(nil, m.takeCarried())
	if len(batch) == 0 {
		messages, err := m.queue.Receive(ctx, m.spec.BatchSize, poll)
		if err != nil {
			m.log("mapping %s: %v", m.spec.LogicalID, err)
			pause(ctx, recovery)
			return nil
		}
		batch, full = m.fill(nil, messages)
	}
	if len(batch) == 0 || full {
		return batch
	}
	return m.widen(ctx, batch)
}

// widen fills a batch during the batching window.
func (m *Mapping) widen(ctx context.Context, batch []sqs.Message) []sqs.Message {
	end := time.Now().Add(m.spec.BatchingWindow)
	for full := false; !full && len(batch) < m.spec.BatchSize && ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		messages, err := m.queue.Receive(ctx, m.spec.BatchSize-len(batch), left)
		if err != nil {
			m.log("mapping %s: %v", m.spec.LogicalID, err)
			break
		}
		batch, full = m.fill(batch, messages)
	}
	return batch
}

// fill adds messages to a batch while its payload has room, and keeps the rest for the next batch.
func (m *Mapping) fill(batch, messages []sqs.Message) (filled []sqs.Message, full bool) {
	size := 0
	for _, b := range batch {
		size += payloadSize(b)
	}
	for i, message := range messages {
		size += payloadSize(message)
		if len(batch) > 0 && size > maxPayload {
			m.carried = append(m.carried, messages[i:]...)
			return batch, true
		}
		batch = append(batch, message)
	}
	return batch, false
}

func (m *Mapping) takeCarried() []sqs.Message {
	carried := m.carried
	m.carried = nil
	return carried
}

// giveBack makes messages visible that no function has seen.
func (m *Mapping) giveBack(messages []sqs.Message) {
	for _, message := range messages {
		if err := m.queue.ChangeVisibility(message.ReceiptHandle, 0); err != nil {
			m.log("mapping %s: give back message %s: %v", m.spec.LogicalID, message.ID, err)
		}
	}
}

// pause waits for d, and reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
