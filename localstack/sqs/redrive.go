package sqs

import (
	"fmt"
	"time"
)

// deadLetters is the queue's dead letter queue. Without one, or while it does not exist, messages stay where they are.
func (q *Queue) deadLetters() (*Queue, bool) {
	if q.config.Redrive == nil {
		return nil, false
	}
	target, ok := q.service.byARN(q.config.Redrive.DeadLetterARN)
	return target, ok && target != q
}

// redrive moves detached messages to the dead letter queue, or gives them back when it fails; mu is held.
func (q *Queue) redrive(spent []*message, now time.Time) error {
	if len(spent) == 0 {
		return nil
	}
	target, _ := q.deadLetters()
	moved := make([]*message, len(spent))
	for i, m := range spent {
		moved[i] = &message{
			ID: m.ID, Body: m.Body, Attributes: m.Attributes, Trace: m.Trace, Group: m.Group, Dedup: m.Dedup, md5: m.md5,
			Sent: m.Sent, First: m.First, Receives: m.Receives, Source: q.arn,
		}
	}
	if err := q.move(spent, target, moved, now); err != nil {
		for _, m := range spent {
			if q.byID[m.ID] == m {
				q.giveBack(m)
			}
		}
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
		if q.config.fifo {
			m.Seq = q.fifo.sequence(now)
		}
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
