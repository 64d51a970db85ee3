package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// dedupFor is how long SQS knows a deduplication id, and a ReceiveRequestAttemptId.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html.
const dedupFor = 5 * time.Minute

// fifoState is what a FIFO queue knows beyond its messages.
type fifoState struct {
	last     int64               // the newest sequence number
	known    map[string]*message // by deduplication key: messages of the last 5 minutes, without bodies
	recent   []*message          // the same, oldest first
	attempts map[string]attempt  // by ReceiveRequestAttemptId
}

// attempt is a receive that can be repeated.
type attempt struct {
	at       time.Time
	messages []*message
	receives []int
}

func newFIFOState() fifoState {
	return fifoState{known: map[string]*message{}, attempts: map[string]attempt{}}
}

// sequence is the next sequence number: the time in nanoseconds, so that it grows over restarts too.
func (f *fifoState) sequence(now time.Time) int64 {
	f.last = max(f.last+1, now.UnixNano())
	return f.last
}

// sequenceNumber has 20 digits, as SQS's have.
func sequenceNumber(seq int64) string { return fmt.Sprintf("1%019d", seq) }

// dedupKey is what makes two messages duplicates of each other.
func (q *Queue) dedupKey(m *message) string {
	if q.config.scope == scopeGroup {
		return m.Group + "\n" + m.Dedup // neither has a line feed
	}
	return m.Dedup
}

// contentID is the deduplication id that a queue with ContentBasedDeduplication gives: of the body, without attributes.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// duplicate is the message of the last 5 minutes that m repeats, or nil.
func (q *Queue) duplicate(m *message, now time.Time) *message {
	f := &q.fifo
	oldest := now.Add(-dedupFor).UnixMilli()
	for len(f.recent) > 0 && f.recent[0].Sent <= oldest {
		if key := q.dedupKey(f.recent[0]); f.known[key] == f.recent[0] {
			delete(f.known, key)
		}
		f.recent = f.recent[1:]
	}
	if known := f.known[q.dedupKey(m)]; known != nil && known.Sent > oldest {
		return known
	}
	return nil
}

// know makes later messages duplicates of m.
func (q *Queue) know(m *message) {
	short := &message{ID: m.ID, Group: m.Group, Dedup: m.Dedup, Seq: m.Seq, Sent: m.Sent}
	if known := q.fifo.known[q.dedupKey(short)]; known != nil && known.ID == short.ID {
		return // from a journal that has both
	}
	q.fifo.known[q.dedupKey(short)] = short
	q.fifo.recent = append(q.fifo.recent, short)
	q.fifo.last = max(q.fifo.last, m.Seq)
}

// rekey is for another DeduplicationScope.
func (q *Queue) rekey() {
	clear(q.fifo.known)
	for _, m := range q.fifo.recent {
		q.fifo.known[q.dedupKey(m)] = m
	}
}

// remember keeps a receive with a ReceiveRequestAttemptId.
func (q *Queue) remember(w *waiter, taken []*message, now time.Time) {
	if w.attempt == "" {
		return
	}
	for id, a := range q.fifo.attempts {
		if now.Sub(a.at) >= dedupFor {
			delete(q.fifo.attempts, id)
		}
	}
	a := attempt{at: now, messages: taken}
	for _, m := range taken {
		a.receives = append(a.receives, m.Receives)
	}
	q.fifo.attempts[w.attempt] = a
}

// repeat answers a receive with the same ReceiveRequestAttemptId as another of the last 5 minutes with the same messages and
// handles, and hides them anew; or nil if one of them was received again, deleted or changed since.
func (q *Queue) repeat(w *waiter, now time.Time) []Message {
	a, ok := q.fifo.attempts[w.attempt]
	if w.attempt == "" || !ok || now.Sub(a.at) >= dedupFor {
		return nil
	}
	for i, m := range a.messages {
		if q.byID[m.ID] != m || m.Receives != a.receives[i] || m.state != isInFlight || m.changed {
			return nil
		}
	}
	messages := make([]Message, len(a.messages))
	for i, m := range a.messages {
		m.visibleAt = now.Add(w.visibility)
		q.hidden.moved(m)
		messages[i] = m.delivery(q.handle(m))
	}
	return messages
}

// unknown are the messages that are not duplicates. sent gets the ids of those that are.
func (q *Queue) unknown(messages []*message, sent []Sent, now time.Time) (fresh []*message) {
	within := map[string]*message{} // this batch
	for i, m := range messages {
		key := q.dedupKey(m)
		known := q.duplicate(m, now)
		if known == nil {
			known = within[key]
		}
		if known != nil {
			sent[i].ID = known.ID
			continue
		}
		within[key] = m
		fresh = append(fresh, m)
	}
	return fresh
}

// sentFIFO remembers the messages that were added, and fills in the sequence numbers.
func (q *Queue) sentFIFO(messages, fresh []*message, sent []Sent) {
	for _, m := range fresh {
		q.know(m)
	}
	for i, m := range messages {
		sent[i].SequenceNumber = sequenceNumber(q.fifo.known[q.dedupKey(m)].Seq)
	}
}
