package sqs

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// moveTask is a message move task that has ended. A running one is not kept: a move holds the lock until its end.
type moveTask struct {
	source, destination string // ARNs; destination is "" for the messages' own sources
	status              string // COMPLETED or FAILED
	moved               int
	toMove              int
	failure             string
	started             time.Time
	handle              string
}

// MoveMessages sends the visible messages of a dead letter queue to the queue with ARN destination, or with "" to the
// queues from which they came, as new messages. It returns a handle of the move. The *Error is
// ResourceNotFoundException for a queue that there is not, or InvalidParameterValue for one that is no dead letter queue.
func (s *Service) MoveMessages(source, destination string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errClosed
	}
	from, err := s.deadLetterQueue(source)
	if err != nil {
		return "", err
	}
	if _, ok := s.byARN(destination); destination != "" && !ok {
		return "", &Error{Code: "ResourceNotFoundException", Message: "The resource that you specified for the DestinationArn parameter doesn't exist."}
	}
	now := time.Now()
	from.advance(now)
	move := moveTask{source: source, destination: destination, status: "COMPLETED", toMove: from.ready.Len(), started: now, handle: uuid.NewString()}
	for e := from.ready.Front(); e != nil; e = from.ready.Front() {
		if err := s.sendBack(from, e.Value.(*message), destination, now); err != nil {
			move.status, move.failure = "FAILED", err.Error()
			break
		}
		move.moved++
	}
	s.moves = append(s.moves, move)
	return move.handle, nil
}

// deadLetterQueue finds a queue that is another's dead letter queue; mu is held.
func (s *Service) deadLetterQueue(arn string) (*Queue, error) {
	q, ok := s.byARN(arn)
	if !ok {
		return nil, &Error{Code: "ResourceNotFoundException", Message: "The resource that you specified for the SourceArn parameter doesn't exist."}
	}
	if len(s.sources(arn)) == 0 {
		return nil, invalidValue("Source queue must be configured as a Dead Letter Queue.")
	}
	return q, nil
}

// sources are the queues with a dead letter queue, by name; mu is held.
func (s *Service) sources(deadLetterARN string) []*Queue {
	return slices.DeleteFunc(s.sorted(), func(q *Queue) bool {
		return q.config.Redrive == nil || q.config.Redrive.DeadLetterARN != deadLetterARN
	})
}

func (s *Service) sendBack(from *Queue, m *message, destination string, now time.Time) error {
	if destination == "" {
		destination = m.Source
	}
	target, ok := s.byARN(destination)
	if !ok {
		return fmt.Errorf("CouldNotDetermineMessageSource: message %s has no source queue that exists", m.ID)
	}
	if target == from {
		return fmt.Errorf("message %s would move to the queue that it is in", m.ID)
	}
	again := &message{ID: uuid.NewString(), Body: m.Body, Attributes: m.Attributes, Trace: m.Trace, Group: m.Group, md5: m.md5, Sent: now.UnixMilli()}
	return from.move([]*message{m}, target, []*message{again}, now)
}

// lastMoves are the newest moves of a source, newest first; mu is held.
func (s *Service) lastMoves(source string, count int) []moveTask {
	var newest []moveTask
	for _, t := range slices.Backward(s.moves) {
		if t.source == source && len(newest) < count {
			newest = append(newest, t)
		}
	}
	return newest
}
