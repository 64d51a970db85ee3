package sqs

import (
	"fmt"
	"time"
)

// redrive moves messages from the front of the ready ones to the dead letter queue while they were received as often as
// the queue allows, until max others stand there; mu is held. Without such a queue they stay and are received again.
func (q *Queue) redrive(max int, now time.Time) error {
	if q.config.Redrive == nil {
		return nil
	}
	target, ok := q.service.byARN(q.config.Redrive.DeadLetterARN)
	if !ok || target == q {
		return nil
	}
	var spent []*message
	kept := 0
	for e := q.ready.Front(); e != nil && kept < max; e = e.Next() {
		if m := e.Value.(*message); m.Receives >= q.config.Redrive.MaxReceiveCount {
			spent = append(spent, m)
		} else {
			kept++
		}
	}
	if len(spent) == 0 {
		return nil
	}
	moved := make([]*message, len(spent))
	for i, m := range spent {
		moved[i] = &message{
			ID: m.ID, Body: m.Body, Attributes: m.Attributes, Trace: m.Trace, Group: m.Group, md5: m.md5,
			Sent: m.Sent, First: m.First, Receives: m.Receives, Source: q.ARN(),
		}
	}
	if err := q.move(spent, target, moved, now); err != nil {
		return fmt.Errorf("move from queue %s to its dead letter queue: %w", q.config.Name, err)
	}
	return nil
}

// move replaces messages of q by others in target. The target's journal comes first: death between the two leaves a
// message twice, and never loses it.
func (q *Queue) move(old []*message, target *Queue, moved []*message, now time.Time) error {
	if err := target.add(moved, now); err != nil {
		return err
	}
	target.wake()
	return q.drop(old)
}

// add journals and inserts messages; mu is held.
func (q *Queue) add(messages []*message, now time.Time) error {
	var records []byte
	for _, m := range messages {
		var err error
		if records, err = appendSend(records, m); err != nil {
			return err
		}
	}
	if err := q.journal.write(records, len(messages)); err != nil {
		return err
	}
	q.advance(now)
	for _, m := range messages {
		q.insert(m, now)
	}
	q.compact()
	return nil
}

// drop journals and removes messages; mu is held.
func (q *Queue) drop(messages []*message) error {
	var records []byte
	for _, m := range messages {
		records = appendDelete(records, m.ID)
	}
	if err := q.journal.write(records, len(messages)); err != nil {
		return err
	}
	for _, m := range messages {
		q.remove(m)
	}
	q.compact()
	return nil
}
