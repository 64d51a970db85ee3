// Package queue sends tasks to the workers through Amazon SQS.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	neturl "net/url"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Message is the body of a task's message. It carries the id alone: the row in the store is the truth.
type Message struct {
	ID uuid.UUID `json:"id"`
}

// TaskID reads the body of a task's message. The error says what is wrong with one that names no task.
func TaskID(body string) (uuid.UUID, error) {
	var m Message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return uuid.Nil, fmt.Errorf("decode message body: %w", err)
	}
	if m.ID == uuid.Nil {
		return uuid.Nil, errors.New(`message body has no "id"`)
	}
	return m.ID, nil
}

// traceHeader is the system attribute that carries a message's X-Ray trace. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-system-attributes.
const traceHeader = string(types.MessageSystemAttributeNameForSendsAWSTraceHeader)

// Trace is the X-Ray header of a received message, for logging.WithTrace; "" where it has none.
func Trace(m events.SQSMessage) string { return m.Attributes[traceHeader] }

// timeout bounds one call, the SDK's own attempts included. The task is in the store by then: neither a client nor a
// sweep is to wait for a queue that does not answer.
const timeout = 3 * time.Second

// SQS implements task.Queue on a standard queue.
type SQS struct {
	client *sqs.Client
	url    string
}

var _ task.Queue = (*SQS)(nil)

// Open returns a sender for the queue with the given URL. Region, credentials and endpoint come from the SDK's usual
// places (AWS_REGION, AWS_ENDPOINT_URL, …), so that AWS and the local stack differ in the environment alone. Where no
// endpoint is set it is the URL's own server, which is where SQS says that requests for the queue go.
func Open(ctx context.Context, url string) (*SQS, error) {
	if url == "" {
		return nil, errors.New("open queue: TASK_QUEUE_URL is empty; it must be the URL of the task queue")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("open queue %s: %w", url, err)
	}
	parsed, err := neturl.Parse(url)
	if err != nil || parsed.Host == "" {
		return nil, fmt.Errorf("open queue: TASK_QUEUE_URL is %q; it must be the URL of the task queue", url)
	}
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if o.BaseEndpoint == nil {
			o.BaseEndpoint = aws.String(parsed.Scheme + "://" + parsed.Host)
		}
	})
	return &SQS{client: client, url: url}, nil
}

// Send implements task.Queue. SQS delays by whole seconds; a part of one counts as a whole. The message belongs to the
// trace of ctx: a task's submission and its run are one. A task that the sweeper sends belongs to the sweep.
func (q *SQS) Send(ctx context.Context, id uuid.UUID, delay time.Duration) error {
	body, err := json.Marshal(Message{ID: id})
	if err != nil {
		return fmt.Errorf("encode message of task %s: %w", id, err)
	}
	message := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(string(body)),
		DelaySeconds: int32((delay + time.Second - 1) / time.Second)}
	if header := logging.TraceHeader(ctx); header != "" {
		message.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			traceHeader: {DataType: aws.String("String"), StringValue: &header},
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err = q.client.SendMessage(ctx, message); err != nil {
		return fmt.Errorf("send task %s: %w", id, err)
	}
	return nil
}

// Waiting is about how many messages can be received now; SQS's count may lag a minute behind. Messages that a receiver
// has do not count.
func (q *SQS) Waiting(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	const name = types.QueueAttributeNameApproximateNumberOfMessages
	answer, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, fmt.Errorf("count the messages of %s: %w", q.url, err)
	}
	n, err := strconv.Atoi(answer.Attributes[string(name)])
	if err != nil {
		return 0, fmt.Errorf("count the messages of %s: %w", q.url, err)
	}
	return n, nil
}
