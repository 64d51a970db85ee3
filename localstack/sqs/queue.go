package sqs

import (
	"container/list"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Queue is one standard queue. Get it from Service.Queue; it is safe for concurrent use.
type Queue struct {
	service *Service
	config  spec.Queue
	number  uint32 // see queueNumber
	journal *journal

	created, modified time.Time

	// A message is in byID and expiries, and in either ready or hidden.
	byID     map[string]*message
	ready    *list.List // of *message, the next one to deliver in front
	hidden   *messageHeap
	expiries *messageHeap
	delayed  int // how many of hidden were never received

	waiters *list.List // of *waiter, the longest waiting in front
	timer   *time.Timer
}

// Counts are how many messages a queue has. They are exact.
type Counts struct {
	// Visible can be received now (ApproximateNumberOfMessages).
	Visible int
	// InFlight were received and are hidden (ApproximateNumberOfMessagesNotVisible).
	InFlight int
	// Delayed were sent with a delay which has not ended (ApproximateNumberOfMessagesDelayed).
	Delayed int
}

func newQueue(s *Service, c spec.Queue) *Queue {
	now := time.Now()
	return &Queue{
		service: s, config: c, number: queueNumber(awsid.ARN("sqs", c.Name)), created: now, modified: now, journal: &journal{},
		byID: map[string]*message{}, ready: list.New(), hidden: hiddenHeap(), expiries: expiryHeap(), waiters: list.New(),
	}
}

// Name is the queue's name.
func (q *Queue) Name() string { return q.config.Name }

// ARN is arn:aws:sqs:{region}:{account}:{name}.
func (q *Queue) ARN() string { return awsid.ARN("sqs", q.config.Name) }

// URL is {endpoint}/{account}/{name}.
func (q *Queue) URL() string { return q.service.url(q.config.Name) }

// Counts counts the messages.
func (q *Queue) Counts() Counts {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.advance(time.Now())
	return q.counts()
}

func (q *Queue) counts() Counts {
	return Counts{Visible: q.ready.Len(), InFlight: q.hidden.Len() - q.delayed, Delayed: q.delayed}
}

// Purge deletes all messages.
func (q *Queue) Purge() error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.service.closed {
		return errClosed
	}
	if err := q.journal.clear(); err != nil {
		return err
	}
	for _, m := range q.byID {
		q.remove(m)
	}
	return nil
}

// advance makes visible what is due and drops what is too old; mu is held. All operations begin with it, so that time
// needs a timer only while somebody waits.
func (q *Queue) advance(now time.Time) {
	for m := q.hidden.top(); m != nil && !m.visibleAt.After(now); m = q.hidden.top() {
		q.show(m)
	}
	oldest := now.Add(-q.config.Retention).UnixMilli()
	for m := q.expiries.top(); m != nil && m.Sent <= oldest; m = q.expiries.top() {
		q.remove(m) // without a record: it is as old after a restart
	}
}

// insert adds a message that is visible, or hidden by its delay.
func (q *Queue) insert(m *message, now time.Time) {
	if m.md5 == "" {
		m.md5 = digest(m.Body)
	}
	q.byID[m.ID] = m
	q.expiries.add(m)
	if visible := time.UnixMilli(m.Delayed); m.Delayed != 0 && visible.After(now) {
		// Added to now, so that the wait is measured by the monotonic clock.
		m.visibleAt, m.delayed = now.Add(visible.Sub(now)), true
		q.delayed++
		q.hidden.add(m)
		return
	}
	m.elem = q.ready.PushBack(m)
}

// hide takes a ready message in flight.
func (q *Queue) hide(m *message, until time.Time) {
	q.ready.Remove(m.elem)
	m.elem, m.visibleAt = nil, until
	q.hidden.add(m)
}

// show makes a hidden message visible, behind all others.
func (q *Queue) show(m *message) {
	q.hidden.remove(m)
	if m.delayed {
		m.delayed = false
		q.delayed--
	}
	m.elem = q.ready.PushBack(m)
}

// remove forgets a message, wherever it is.
func (q *Queue) remove(m *message) {
	if m.elem != nil {
		q.ready.Remove(m.elem)
		m.elem = nil
	} else {
		q.hidden.remove(m)
		if m.delayed {
			m.delayed = false
			q.delayed--
		}
	}
	q.expiries.remove(m)
	delete(q.byID, m.ID)
}

// close ends the waiters and the journal; mu is held.
func (q *Queue) close() error {
	for e := q.waiters.Front(); e != nil; e = q.waiters.Front() {
		q.waiters.Remove(e).(*waiter).done <- received{err: errClosed}
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	return q.journal.close()
}
