package sweeper

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"ksu/shared/logging"
	"ksu/shared/queue"
	"ksu/shared/task"
)

// Settle handles messages that the task queue gave up on: the store decides by the rules of Rescue what becomes of
// their tasks, and a message is acknowledged only once it has. One line per call counts them.
func (s *Sweeper) Settle(ctx context.Context, event events.SQSEvent) events.SQSEventResponse {
	var response events.SQSEventResponse
	var settled task.Rescued
	duplicates, malformed := 0, 0
	for _, m := range event.Records {
		ctx := logging.With(logging.WithTrace(ctx, queue.Trace(m)), slog.String("message_id", m.MessageId))
		id, err := queue.TaskID(m.Body)
		if err != nil {
			malformed++
			s.log.ErrorContext(ctx, "dead letter dropped: it names no task", "error", err)
			continue
		}
		ctx = logging.Task(ctx, id.String(), 0)
		became, err := s.store.Settle(ctx, id, s.retry("the queue gave up on the task"))
		switch {
		case err != nil:
			s.log.ErrorContext(ctx, "dead letter returned to its queue", "error", err)
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		case became == task.Rescued{}:
			duplicates++
			s.log.InfoContext(ctx, "dead letter acknowledged: its task is unknown, deleted, ended or running")
		default:
			settled.Requeued += became.Requeued
			settled.Failed += became.Failed
			s.log.WarnContext(ctx, "dead letter settled", "requeued", became.Requeued, "failed", became.Failed)
		}
	}
	s.log.InfoContext(ctx, "dead letters handled", "requeued", settled.Requeued, "failed", settled.Failed,
		"duplicates", duplicates, "malformed", malformed, "returned", len(response.BatchItemFailures))
	return response
}
