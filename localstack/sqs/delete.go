package sqs

import (
	"errors"
	"fmt"
	"time"
)

// Delete deletes the messages that receipt handles name. A handle stays valid after the message became visible again, until
// the message is received again; then it does nothing, as it does when the message is gone. In a FIFO queue it is an error
// then. The error joins an *Error for each handle that failed; the others are deleted all the same.
func (q *Queue) Delete(receiptHandles ...string) error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if err := q.usable(); err != nil {
		return err
	}
	now := time.Now()
	q.advance(now)
	var errs []error
	var found []*message
	seen := map[*message]bool{}
	for _, handle := range receiptHandles {
		m, last, err := q.byHandle(handle)
		switch {
		case err != nil:
			errs = append(errs, err)
		case m == nil || seen[m]:
		case q.config.fifo && (!last || m.state.visible()):
			errs = append(errs, invalidParameter("ReceiptHandle", handle, "The receipt handle has expired."))
		case last:
			seen[m] = true
			found = append(found, m)
		}
	}
	if len(found) > 0 {
		if err := q.drop(found); err != nil {
			errs = append(errs, fmt.Errorf("delete from queue %s: %w", q.config.Name, err))
		}
	}
	if q.config.fifo {
		q.serve(now) // the groups are open again
	}
	return errors.Join(errs...)
}

// byHandle is the message that a handle names, or nil when it is gone, and whether the handle is of its last receive; mu is
// held.
func (q *Queue) byHandle(handle string) (m *message, last bool, err error) {
	id, receive, err := q.parseHandle(handle)
	if err != nil {
		return nil, false, err
	}
	m, ok := q.byID[id]
	if !ok {
		return nil, false, nil
	}
	return m, m.Receives == receive, nil
}

// ChangeVisibility hides a message for timeout from now, 0 to 12 h after its receive in all; 0 makes it visible at once. Every
// handle of the message will do, and the message may have become visible again, except in a FIFO queue. The *Error is
// ReceiptHandleIsInvalid, or InvalidParameterValue if the message is gone or the timeout out of range.
func (q *Queue) ChangeVisibility(receiptHandle string, timeout time.Duration) error {
	if timeout < 0 || timeout > maxVisibility {
		return invalidParameter("VisibilityTimeout", seconds(timeout), "Must be between 0 and 43200.")
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if err := q.usable(); err != nil {
		return err
	}
	now := time.Now()
	q.advance(now)
	m, _, err := q.byHandle(receiptHandle)
	switch {
	case err != nil:
		return err
	case m == nil || q.config.fifo && m.state.visible():
		return invalidParameter("ReceiptHandle", receiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case !m.received.IsZero() && now.Add(timeout).After(m.received.Add(maxVisibility)):
		return invalidParameter("VisibilityTimeout", seconds(timeout), "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	}
	q.settle(q.detach(m))
	q.hide(m, now.Add(timeout))
	m.changed = true
	q.advance(now)
	q.serve(now)
	return nil
}
