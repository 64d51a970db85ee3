package sqs

import (
	"errors"
	"fmt"
	"time"
)

// Delete deletes the messages that receipt handles name. A handle that is older than the message's last receive, or
// whose message is gone, does nothing. The error joins *Error ReceiptHandleIsInvalid for each handle that this queue
// never gave; the others are deleted all the same.
func (q *Queue) Delete(receiptHandles ...string) error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.service.closed {
		return errClosed
	}
	q.advance(time.Now())
	var errs []error
	var found []*message
	seen := map[*message]bool{}
	for _, handle := range receiptHandles {
		m, err := q.byHandle(handle)
		if err != nil {
			errs = append(errs, err)
		} else if m != nil && !seen[m] {
			seen[m] = true
			found = append(found, m)
		}
	}
	if len(found) > 0 {
		if err := q.drop(found); err != nil {
			errs = append(errs, fmt.Errorf("delete from queue %s: %w", q.config.Name, err))
		}
	}
	return errors.Join(errs...)
}

// byHandle is the message whose last receive a handle names, or nil; mu is held.
func (q *Queue) byHandle(handle string) (*message, error) {
	id, receive, err := q.parseHandle(handle)
	if err != nil {
		return nil, err
	}
	if m, ok := q.byID[id]; ok && m.Receives == receive {
		return m, nil
	}
	return nil, nil
}

// ChangeVisibility hides a message in flight for timeout from now, 0 to 12 h after its receive in all; 0 makes it visible
// at once. The *Error is ReceiptHandleIsInvalid; MessageNotInflight where the message is visible; InvalidParameterValue
// where the handle is old, its message gone or the timeout out of range.
func (q *Queue) ChangeVisibility(receiptHandle string, timeout time.Duration) error {
	if timeout < 0 || timeout > maxVisibility {
		return invalidParameter("VisibilityTimeout", seconds(timeout), "Must be between 0 and 43200.")
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.service.closed {
		return errClosed
	}
	now := time.Now()
	q.advance(now)
	m, err := q.byHandle(receiptHandle)
	switch {
	case err != nil:
		return err
	case m == nil:
		return invalidParameter("ReceiptHandle", receiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case m.elem != nil:
		return &Error{Code: codeNotInflight, Message: "The message referred to is not in flight."}
	case now.Add(timeout).After(m.received.Add(maxVisibility)):
		return invalidParameter("VisibilityTimeout", seconds(timeout), "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	m.visibleAt = now.Add(timeout)
	q.hidden.moved(m)
	q.advance(now)
	q.serve(now)
	return nil
}
