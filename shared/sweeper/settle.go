package sweeper

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/queue"
)

// Settle handles messages that the task queue gave up on: the store decides by the rules of Rescue what becomes of
// their tasks, and a message is acknowledged only once it has. Each has its line, and one line per call counts them.
func (s *Sweeper) Settle(ctx context.Context, event events.SQSEvent) events.SQSEventResponse {
	var response events.SQSEventResponse
	requeued, failed, duplicates, malformed := 0, 0, 0, 0
	policy := s.retry("the queue gave up on the task")
	for _, m := range event.Records {
		ctx := logging.With(logging.WithTrace(ctx, queue.Trace(m)), slog.String("message_id", m.MessageId))
		id, err := queue.TaskID(m.Body)
		if err != nil {
			malformed++
			s.log.ErrorContext(ctx, "dead letter dropped: it names no task", "error", err)
			continue
		}
		became, err := s.store.Settle(ctx, id, policy)
		switch {
		case err != nil:
			s.log.ErrorContext(logging.Task(ctx, id.String(), 0), "dead letter returned to its queue", "error", err)
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		case len(became) == 0:
			duplicates++
			s.log.InfoContext(logging.Task(ctx, id.String(), 0), "dead letter acknowledged: its task is unknown, deleted, ended or running")
		default:
			again, ended := s.logRescued(ctx, became, policy)
			requeued += again
			failed += ended
			if _, err := s.sendRescued(ctx, became); err != nil {
				s.log.WarnContext(logging.Task(ctx, id.String(), 0), "task not sent; a sweep sends it", "error", err)
			}
		}
	}
	s.log.InfoContext(ctx, "dead letters handled", "requeued", requeued, "failed", failed,
		"duplicates", duplicates, "malformed", malformed, "returned", len(response.BatchItemFailures))
	return response
}
