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
	return q.receive(ctx, max, wait, nil)
}

// receive is Receive with the queue's visibility timeout, unless another is given.
func (q *Queue) receive(ctx context.Context, max int, wait time.Duration, visibility *time.Duration) ([]Message, error) {
	q.service.mu.Lock()
	if q.service.closed {
		q.service.mu.Unlock()
		return nil, errClosed
	}
	if ctx.Err() != nil {
		q.service.mu.Unlock()
		return nil, nil
	}
	w := &waiter{max: max, visibility: q.config.VisibilityTimeout, done: make(chan received, 1)}
	if visibility != nil {
		w.visibility = *visibility
	}
	now := time.Now()
	q.advance(now)
	messages, err := q.take(w, now)
	if len(messages) > 0 || err != nil || wait <= 0 {
		q.service.mu.Unlock()
		return messages, err
	}
	elem := q.waiters.PushBack(w)
	q.schedule(now)
	q.service.mu.Unlock()
	return q.await(ctx, w, elem, wait)
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
	for q.waiters.Len() > 0 && q.ready.Len() > 0 {
		w := q.waiters.Front().Value.(*waiter)
		messages, err := q.take(w, now)
		if len(messages) == 0 && err == nil {
			break // all were moved to the dead letter queue
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
	if q.service.closed {
		return
	}
	now := time.Now()
	q.advance(now)
	q.serve(now)
}

// take receives visible messages, after moving those away that were received too often; mu is held.
func (q *Queue) take(w *waiter, now time.Time) ([]Message, error) {
	if err := q.redrive(w.max, now); err != nil {
		return nil, err
	}
	var records []byte
	var taken []*message
	for e := q.ready.Front(); e != nil && len(taken) < w.max; e = e.Next() {
		m := e.Value.(*message)
		taken = append(taken, m)
		records = appendReceive(records, m.ID, m.Receives+1, firstReceive(m, now))
	}
	if len(taken) == 0 {
		return nil, nil
	}
	if err := q.journal.write(records, len(taken)); err != nil {
		return nil, fmt.Errorf("receive from queue %s: %w", q.config.Name, err)
	}
	messages := make([]Message, len(taken))
	for i, m := range taken {
		m.Receives++
		m.First = firstReceive(m, now)
		m.received = now
		q.hide(m, now.Add(w.visibility))
		messages[i] = m.delivery(q.handle(m))
	}
	q.compact()
	return messages, nil
}

func firstReceive(m *message, now time.Time) int64 {
	if m.First != 0 {
		return m.First
	}
	return now.UnixMilli()
}
