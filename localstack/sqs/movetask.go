package sqs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// moveTask is a message move task. It does not outlive its process.
type moveTask struct {
	source, destination string // ARNs; destination is "" for the messages' own sources
	status              string
	perSecond           int // 0 for all at once
	moved               int
	toMove              int
	failure             string
	started             time.Time
	handle              string
	timer               *time.Timer // of the next message
}

const (
	moveRunning   = "RUNNING"
	moveCompleted = "COMPLETED"
	moveCancelled = "CANCELLED"
	moveFailed    = "FAILED"

	maxMoveRate = 500
)

func (t *moveTask) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// MoveMessages sends the visible messages of a dead letter queue to the queue with ARN destination, or with "" to the queues
// from which they came, as new messages. With perSecond 0 all have moved when it returns; otherwise a message moves each
// 1/perSecond s, up to 500. It returns a handle of the move. The *Error is ResourceNotFoundException for a queue that does
// not exist, or InvalidParameterValue for a source that is not a dead letter queue or has another move.
func (s *Service) MoveMessages(source, destination string, perSecond int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errClosed
	}
	if perSecond < 0 || perSecond > maxMoveRate {
		return "", invalidParameter("MaxNumberOfMessagesPerSecond", perSecond, "Must be between 1 and 500.")
	}
	from, err := s.deadLetterQueue(source)
	if err != nil {
		return "", err
	}
	if _, ok := s.byARN(destination); destination != "" && !ok {
		return "", &Error{Code: codeNoResource, Message: "The resource that you specified for the DestinationArn parameter doesn't exist."}
	}
	if destination == source {
		return "", invalidValue("Source queue arn and destination queue arn cannot be the same.")
	}
	if slices.ContainsFunc(s.moves, func(t *moveTask) bool { return t.source == source && t.status == moveRunning }) {
		return "", invalidValue("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	now := time.Now()
	from.advance(now)
	t := &moveTask{
		source: source, destination: destination, status: moveRunning, perSecond: perSecond, toMove: from.visible, started: now,
		handle: taskHandle(source),
	}
	s.moves = append(s.moves, t)
	for t.status == moveRunning && (perSecond == 0 || t.moved == 0) {
		s.moveOne(t)
	}
	if t.status == moveRunning {
		t.timer = time.AfterFunc(time.Second/time.Duration(perSecond), func() { s.moveNext(t) })
	}
	return t.handle, nil
}

// taskHandle has the form of SQS's handles.
func taskHandle(source string) string {
	text, _ := json.Marshal(map[string]string{"taskId": uuid.NewString(), "sourceArn": source}) // texts always encode
	return base64.StdEncoding.EncodeToString(text)
}

// moveNext moves a message when its time has come.
func (s *Service) moveNext(t *moveTask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || t.status != moveRunning {
		return
	}
	if s.moveOne(t); t.status == moveRunning {
		t.timer.Reset(time.Second / time.Duration(t.perSecond))
	}
}

// moveOne moves a message, or ends the move; mu is held.
func (s *Service) moveOne(t *moveTask) {
	from, ok := s.byARN(t.source)
	if !ok {
		t.status, t.failure = moveFailed, "The source queue was deleted."
		return
	}
	now := time.Now()
	from.advance(now)
	l := from.next()
	if l == nil || t.moved >= t.toMove {
		t.status = moveCompleted
		return
	}
	if err := s.sendBack(from, l.head(), t.destination, now); err != nil {
		t.status, t.failure = moveFailed, err.Error()
		return
	}
	if t.moved++; t.moved >= t.toMove {
		t.status = moveCompleted
	}
}

// CancelMove ends a move and returns how many messages have moved. The *Error is ResourceNotFoundException for a handle of no
// move, or InvalidParameterValue for a move that has ended.
func (s *Service) CancelMove(handle string) (moved int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.moves, func(t *moveTask) bool { return t.handle == handle })
	switch {
	case i < 0 && !isTaskHandle(handle):
		return 0, invalidParameter("TaskHandle", handle, "It is not a handle of a message move task.")
	case i < 0:
		return 0, &Error{Code: codeNoResource, Message: "Task does not exist."}
	case s.moves[i].status != moveRunning:
		return 0, invalidValue("Only active tasks can be cancelled.")
	}
	s.moves[i].stop()
	s.moves[i].status = moveCancelled
	return s.moves[i].moved, nil
}

func isTaskHandle(handle string) bool {
	text, err := base64.StdEncoding.DecodeString(handle)
	var parts struct{ TaskID, SourceARN string }
	return err == nil && json.Unmarshal(text, &parts) == nil && parts.TaskID != ""
}

// deadLetterQueue finds a queue that is another's dead letter queue; mu is held.
func (s *Service) deadLetterQueue(arn string) (*Queue, error) {
	q, ok := s.byARN(arn)
	if !ok {
		return nil, &Error{Code: codeNoResource, Message: "The resource that you specified for the SourceArn parameter doesn't exist."}
	}
	if len(s.sources(arn)) == 0 {
		return nil, invalidValue("Source queue must be configured as a Dead Letter Queue.")
	}
	return q, nil
}

// sources are the queues with a dead letter queue, by name; mu is held.
func (s *Service) sources(deadLetterARN string) []*Queue {
	return s.sorted(func(q *Queue) bool { return q.config.Redrive != nil && q.config.Redrive.DeadLetterARN == deadLetterARN })
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
	if target.config.fifo != from.config.fifo {
		return fmt.Errorf("message %s would move to a queue of another type", m.ID)
	}
	again := &message{
		ID: uuid.NewString(), Body: m.Body, Attributes: m.Attributes, Trace: m.Trace, Group: m.Group, Dedup: m.Dedup, md5: m.md5, Sent: now.UnixMilli(),
	}
	return from.move([]*message{m}, target, []*message{again}, now)
}

// lastMoves are the newest moves of a source, newest first; mu is held.
func (s *Service) lastMoves(source string, count int) []*moveTask {
	var newest []*moveTask
	for _, t := range slices.Backward(s.moves) {
		if t.source == source && len(newest) < count {
			newest = append(newest, t)
		}
	}
	return newest
}
