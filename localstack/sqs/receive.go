package sqs

import (
	"container/list"
	"context"
	"fmt"
	"time"
)

// waiter is a receive that waits for messages.
type waiter struct {
	max        int
	visibility time.Duration
	attempt    string        // ReceiveRequestAttemptId, or ""
	done       chan received // has room for one
}

type received struct {
	messages []Message
	err      error
}

// Receive takes up to max messages, hiding them for the queue's visibility timeout. Without any it waits, at most for
// wait, until there is one or ctx ends, and answers none then, without an error. Messages that were taken are returned
// even if ctx ended meanwhile. The error is that the journal cannot be written, or the service closed.
func (q *Queue) Receive(ctx context.Context, max int, wait time.Duration) ([]Message, error) {
	return q.receive(ctx, receiving{max: max, wait: wait})
}

// receiving is what a receive asks for. A visibility of nil is the queue's.
type receiving struct {
	max        int
	wait       time.Duration
	visibility *time.Duration
	attempt    string // ReceiveRequestAttemptId, or ""
}

func (q *Queue) receive(ctx context.Context, r receiving) ([]Message, error) {
	q.service.mu.Lock()
	if err := q.usable(); err != nil {
		q.service.mu.Unlock()
		return nil, err
	}
	if ctx.Err() != nil {
		q.service.mu.Unlock()
		return nil, nil
	}
	w := &waiter{max: r.max, visibility: q.config.VisibilityTimeout, attempt: r.attempt, done: make(chan received, 1)}
	if r.visibility != nil {
		w.visibility = *r.visibility
	}
	now := time.Now()
	q.advance(now)
	if again := q.repeat(w, now); again != nil {
		q.service.mu.Unlock()
		return again, nil
	}
	messages, err := q.take(w, now)
	if len(messages) > 0 || err != nil || r.wait <= 0 {
		q.service.mu.Unlock()
		return messages, err
	}
	elem := q.waiters.PushBack(w)
	q.schedule(now)
	q.service.mu.Unlock()
	return q.await(ctx, w, elem, r.wait)
}

func (q *Queue) await(ctx context.Context, w *waiter, elem *list.Element, wait time.Duration) ([]Message, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	select {
	case r := <-w.done:
		return r.messages, r.err
	case <-ctx.Done():
	case <-timeout.C:
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	select {
	case r := <-w.done: // served just before the lock
		return r.messages, r.err
	default:
		q.waiters.Remove(elem)
		return nil, nil
	}
}

// serve gives visible messages to waiters and sets the timer for the next ones; mu is held. Whatever makes a message
// visible ends with it.
func (q *Queue) serve(now time.Time) {
	for q.waiters.Len() > 0 && q.visible > 0 {
		w := q.waiters.Front().Value.(*waiter)
		messages, err := q.take(w, now)
		if len(messages) == 0 && err == nil {
			break // the dead letter queue has them, or their groups are locked
		}
		q.waiters.Remove(q.waiters.Front())
		w.done <- received{messages, err}
	}
	q.schedule(now)
}

// schedule sets the queue's timer to when the next hidden message becomes visible, if somebody waits for it.
func (q *Queue) schedule(now time.Time) {
	next := q.hidden.top()
	if q.waiters.Len() == 0 || next == nil {
		if q.timer != nil {
			q.timer.Stop()
		}
		return
	}
	q.after(next.visibleAt.Sub(now))
}

// wake serves the waiters soon, for a caller that is in the midst of another queue.
func (q *Queue) wake() {
	if q.waiters.Len() > 0 {
		q.after(0)
	}
}

func (q *Queue) after(d time.Duration) {
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.due)
		return
	}
	q.timer.Reset(d)
}

func (q *Queue) due() {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.usable() != nil {
		return
	}
	now := time.Now()
	q.advance(now)
	q.serve(now)
}

// take receives visible messages, and moves those to the dead letter queue that were received too often; mu is held.
func (q *Queue) take(w *waiter, now time.Time) ([]Message, error) {
	if q.visible == 0 {
		return nil, nil
	}
	room := maxInFlight - q.inFlight
	if room <= 0 && !q.config.fifo {
		return nil, &Error{Code: codeOverLimit, Message: fmt.Sprintf("The queue has %d messages in flight, which is the limit.", q.inFlight)}
	}
	taken, spent := q.pick(min(w.max, room))
	if err := q.redrive(spent, now); err != nil {
		q.putBack(taken)
		return nil, err
	}
	if len(taken) == 0 {
		return nil, nil
	}
	var records []byte
	for _, m := range taken {
		records = appendReceive(records, m.ID, m.Receives+1, firstReceive(m, now))
	}
	if err := q.journal.write(records, len(taken)); err != nil {
		q.putBack(taken)
		return nil, fmt.Errorf("receive from queue %s: %w", q.config.Name, err)
	}
	messages := make([]Message, len(taken))
	for i, m := range taken {
		m.Receives++
		m.First = firstReceive(m, now)
		m.received, m.changed = now, false
		m.state, m.visibleAt = isInFlight, now.Add(w.visibility)
		q.hidden.add(m)
		messages[i] = m.delivery(q.handle(m))
	}
	q.remember(w, taken, now)
	q.compact()
	return messages, nil
}

// pick detaches up to max messages, and counts them as in flight, so that the choice of each regards those before it. spent
// are messages for the dead letter queue.
func (q *Queue) pick(max int) (taken, spent []*message) {
	_, redrives := q.deadLetters()
	for len(taken) < max {
		l := q.next()
		if l == nil {
			break
		}
		for m := l.head(); m != nil && len(taken) < max; m = l.head() {
			q.detach(m)
			if redrives && m.Receives >= q.config.Redrive.MaxReceiveCount {
				spent = append(spent, m)
				continue
			}
			taken = append(taken, m)
			l.inFlight++
			q.inFlight++
			if !q.config.fifo {
				break
			}
		}
		q.settle(l)
	}
	return taken, spent
}

// putBack undoes pick for messages that nobody got.
func (q *Queue) putBack(taken []*message) {
	for _, m := range taken {
		q.lane(m.Group).inFlight--
		q.inFlight--
		q.giveBack(m)
	}
}

func firstReceive(m *message, now time.Time) int64 {
	if m.First != 0 {
		return m.First
	}
	return now.UnixMilli()
}
