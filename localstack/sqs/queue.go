package sqs

import (
	"container/list"
	"time"
)

// Queue is one queue. Service.Queue returns it; it is safe for concurrent use.
type Queue struct {
	service  *Service
	key      queueKey
	arn      string
	config   settings
	declared bool   // by the template
	gone     bool   // deleted
	number   uint32 // see queueNumber
	journal  *journal

	created, modified time.Time
	purged            time.Time

	// A message is in byID and expiries, and either in its group's lane or in hidden.
	byID     map[string]*message
	plain    *lane            // of messages without a group
	lanes    map[string]*lane // of groups that have messages, by group
	ready    laneHeap         // lanes with messages that can be received
	crowded  laneHeap         // those with many messages in flight, see next
	hidden   *messageHeap
	expiries *messageHeap
	visible  int
	inFlight int
	last     uint64 // order of the newest message

	fifo fifoState

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

func newQueue(s *Service, key queueKey, c settings) *Queue {
	now := time.Now()
	return &Queue{
		service: s, key: key, arn: key.arn(), config: c, number: queueNumber(key.arn()), created: now, modified: now, journal: &journal{},
		byID: map[string]*message{}, plain: newLane(""), lanes: map[string]*lane{}, hidden: hiddenHeap(), expiries: expiryHeap(), waiters: list.New(),
		fifo: newFIFOState(),
	}
}

// Name is the queue's name.
func (q *Queue) Name() string { return q.key.name }

// ARN is arn:aws:sqs:{region}:{account}:{name}.
func (q *Queue) ARN() string { return q.arn }

// URL is {endpoint}/{account}/{name}.
func (q *Queue) URL() string {
	return q.service.options.Endpoint + "/" + q.key.account + "/" + q.key.name
}

// Counts counts the messages.
func (q *Queue) Counts() Counts {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.advance(time.Now())
	return q.counts()
}

func (q *Queue) counts() Counts {
	return Counts{Visible: q.visible, InFlight: q.inFlight, Delayed: q.hidden.Len() - q.inFlight}
}

// usable is an error when the service is closed or the queue deleted; mu is held.
func (q *Queue) usable() error {
	switch {
	case q.service.closed:
		return errClosed
	case q.gone:
		return noQueue()
	}
	return nil
}

// purgeEvery is the least time between two purges.
const purgeEvery = time.Minute

// Purge deletes all messages. The *Error is PurgeQueueInProgress within 60 s of another purge.
func (q *Queue) Purge() error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if err := q.usable(); err != nil {
		return err
	}
	now := time.Now()
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeEvery {
		return &Error{Code: codePurging, Message: "Only one PurgeQueue operation on " + q.key.name + " is allowed every 60 seconds."}
	}
	if err := q.forget(); err != nil {
		return err
	}
	for _, m := range q.byID {
		q.remove(m)
	}
	q.purged = now
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
	q.last++
	m.order = q.last
	q.byID[m.ID] = m
	q.expiries.add(m)
	if visible := time.UnixMilli(m.Delayed); m.Delayed != 0 && visible.After(now) {
		// Added to now, so that the wait is measured by the monotonic clock.
		m.visibleAt = now.Add(visible.Sub(now))
		m.state = isDelayed
		q.hidden.add(m)
		return
	}
	q.append(m)
}

// close ends the waiters with an error and closes the journal; mu is held.
func (q *Queue) close(err error) error {
	for e := q.waiters.Front(); e != nil; e = q.waiters.Front() {
		q.waiters.Remove(e).(*waiter).done <- received{err: err}
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	return q.journal.close()
}
