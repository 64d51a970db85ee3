// Package queue sends permits to the workers through Amazon SQS.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	neturl "net/url"
	"slices"
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

// Message is the body of a permit. Workers do not read it, since any message is a permit. Workers of older versions,
// which still run during a deployment, take the task that it names.
type Message struct {
	ID *uuid.UUID `json:"id,omitempty"`
}

// traceHeader is the system attribute that carries a message's X-Ray trace. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-system-attributes.
const traceHeader = string(types.MessageSystemAttributeNameForSendsAWSTraceHeader)

// Trace returns the X-Ray header of a received message, for logging.WithTrace; "" without one.
func Trace(m events.SQSMessage) string { return m.Attributes[traceHeader] }

const (
	// timeout bounds one call, including the SDK's own retries. The task is in the store by then, so neither a client
	// nor a sweep should wait for a queue that does not answer.
	timeout = 3 * time.Second
	// batchSize is the maximum number of messages in a SendMessageBatch.
	batchSize = 10
)

// SQS implements task.Queue on a standard queue.
type SQS struct {
	client *sqs.Client
	url    string
}

var _ task.Queue = (*SQS)(nil)

// Open returns a sender for the queue with the given URL. Region, credentials and endpoint come from the SDK's usual
// sources (AWS_REGION, AWS_ENDPOINT_URL, …), so AWS and the local stack differ only in the environment. Without an
// endpoint, requests go to the URL's own server, as SQS documents. Open fails if the URL is empty or malformed.
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

// Send implements task.Queue. SQS delays by whole seconds; Send rounds up.
func (q *SQS) Send(ctx context.Context, permits ...task.Permit) error {
	for batch := range slices.Chunk(permits, batchSize) {
		if err := q.send(ctx, batch); err != nil {
			return fmt.Errorf("send %d permits: %w", len(batch), err)
		}
	}
	return nil
}

func (q *SQS) send(ctx context.Context, permits []task.Permit) error {
	messages := make([]sqs.SendMessageInput, len(permits))
	for i, p := range permits {
		m, err := q.message(ctx, p)
		if err != nil {
			return err
		}
		messages[i] = m
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if len(messages) == 1 {
		_, err := q.client.SendMessage(ctx, &messages[0])
		return err
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
	for i, m := range messages {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: m.MessageBody, DelaySeconds: m.DelaySeconds, MessageGroupId: m.MessageGroupId,
			MessageSystemAttributes: m.MessageSystemAttributes,
		})
	}
	out, err := q.client.SendMessageBatch(ctx, in)
	if err != nil {
		return err
	}
	var failed []error
	for _, f := range out.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", aws.ToString(f.Code), aws.ToString(f.Message)))
	}
	return errors.Join(failed...)
}

// message turns a permit into a message. Its group is the fairness key, so the queue is fair between keys if more
// permits wait than workers take. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html.
func (q *SQS) message(ctx context.Context, p task.Permit) (sqs.SendMessageInput, error) {
	var body Message
	if p.Task != uuid.Nil {
		body.ID = &p.Task
	}
	text, err := json.Marshal(body)
	if err != nil {
		return sqs.SendMessageInput{}, fmt.Errorf("encode permit: %w", err)
	}
	message := sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(string(text)), DelaySeconds: seconds(p.Delay)}
	if p.FairnessKey != "" {
		message.MessageGroupId = aws.String(group(p.FairnessKey))
	}
	header := p.Trace
	if header == "" {
		header = logging.TraceHeader(ctx)
	}
	if header != "" {
		message.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			traceHeader: {DataType: aws.String("String"), StringValue: &header},
		}
	}
	return message, nil
}

func seconds(delay time.Duration) int32 {
	return int32((min(max(delay, 0), task.MaxDelay) + time.Second - 1) / time.Second)
}

// group returns a fairness key in SQS's form: up to 128 ASCII letters, digits and punctuation. It returns the hash of
// any other key.
func group(key string) string {
	allowed := len(key) <= 128
	for i := range len(key) {
		allowed = allowed && key[i] > ' ' && key[i] <= '~'
	}
	if allowed {
		return key
	}
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

// Waiting returns about how many permits can be received now; SQS's count may lag by a minute. It does not count
// received permits: a dead receiver's permit comes back only after its visibility time-out.
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
