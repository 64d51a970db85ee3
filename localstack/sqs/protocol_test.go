package sqs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// The SDK verifies the digests of what it sends and receives, so these tests do.

func TestSDKRoundTrip(t *testing.T) {
	t.Parallel()
	c := client(t, open(t, "", work()))
	sent, err := c.SendMessage(t.Context(), &awssqs.SendMessageInput{
		QueueUrl: aws.String(url), MessageBody: aws.String("hällo <b> \t"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"kind":    {DataType: aws.String("String.label"), StringValue: aws.String("ü")},
			"count.n": {DataType: aws.String("Number"), StringValue: aws.String("7")},
			"count.b": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5e3d-83e6")},
		},
		MessageGroupId: aws.String("tenant!~1"),
	})
	must(t, err)
	if aws.ToString(sent.MD5OfMessageAttributes) == "" || aws.ToString(sent.MD5OfMessageSystemAttributes) == "" {
		t.Errorf("digests are missing: %+v", sent)
	}
	got, err := c.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{
		QueueUrl: aws.String(url), MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 60,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"count.*", "none"},
	})
	must(t, err)
	if len(got.Messages) != 1 {
		t.Fatalf("received %+v", got.Messages)
	}
	m := got.Messages[0]
	if *m.MessageId != *sent.MessageId || *m.Body != "hällo <b> \t" || len(m.MessageAttributes) != 2 ||
		!slices.Equal(m.MessageAttributes["count.b"].BinaryValue, []byte{0, 1, 255}) || m.Attributes["AWSTraceHeader"] != "Root=1-5e3d-83e6" ||
		m.Attributes["MessageGroupId"] != "tenant!~1" ||
		m.Attributes["ApproximateReceiveCount"] != "1" || m.Attributes["SenderId"] == "" {
		t.Errorf("received %+v", m)
	}
	_, err = c.ChangeMessageVisibility(t.Context(), &awssqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(url), ReceiptHandle: m.ReceiptHandle})
	must(t, err)
	got, err = c.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: aws.String(url)})
	must(t, err)
	if len(got.Messages) != 1 || len(got.Messages[0].Attributes)+len(got.Messages[0].MessageAttributes) != 0 {
		t.Fatalf("received %+v", got.Messages)
	}
	_, err = c.DeleteMessage(t.Context(), &awssqs.DeleteMessageInput{QueueUrl: aws.String(url), ReceiptHandle: got.Messages[0].ReceiptHandle})
	must(t, err)
	got, err = c.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: aws.String(url)})
	if err != nil || len(got.Messages) != 0 {
		t.Errorf("after the deletion: %+v, %v", got.Messages, err)
	}
}

func TestSDKBatches(t *testing.T) {
	t.Parallel()
	c := client(t, open(t, "", work()))
	sent, err := c.SendMessageBatch(t.Context(), &awssqs.SendMessageBatchInput{QueueUrl: aws.String(url), Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("A")},
		{Id: aws.String("b"), MessageBody: aws.String("\x01")},
		{Id: aws.String("c"), MessageBody: aws.String("C"), DelaySeconds: 900},
		{Id: aws.String("d"), MessageBody: aws.String("D"), DelaySeconds: 901},
	}})
	must(t, err)
	if len(sent.Successful) != 2 || len(sent.Failed) != 2 || *sent.Failed[0].Id != "b" || *sent.Failed[0].Code != "InvalidMessageContents" ||
		!sent.Failed[0].SenderFault || *sent.Failed[1].Code != "InvalidParameterValue" {
		t.Errorf("sent %+v, failed %+v", sent.Successful, sent.Failed)
	}
	got, err := c.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: aws.String(url), MaxNumberOfMessages: 10})
	must(t, err)
	handle := got.Messages[0].ReceiptHandle
	changed, err := c.ChangeMessageVisibilityBatch(t.Context(), &awssqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(url),
		Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("1"), ReceiptHandle: handle, VisibilityTimeout: 90}, {Id: aws.String("2"), ReceiptHandle: aws.String("x"), VisibilityTimeout: 1},
		}})
	must(t, err)
	if len(changed.Successful) != 1 || len(changed.Failed) != 1 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("changed %+v, failed %+v", changed.Successful, changed.Failed)
	}
	deleted, err := c.DeleteMessageBatch(t.Context(), &awssqs.DeleteMessageBatchInput{QueueUrl: aws.String(url),
		Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("1"), ReceiptHandle: handle}, {Id: aws.String("2"), ReceiptHandle: aws.String("x")}}})
	must(t, err)
	if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 {
		t.Errorf("deleted %+v, failed %+v", deleted.Successful, deleted.Failed)
	}
}

func TestSDKQueues(t *testing.T) {
	t.Parallel()
	s := open(t, "", withDeadLetters(), dead())
	c := client(t, s)
	for range 3 {
		send(t, queue(t, s, "work"), "a")
	}
	receive(t, queue(t, s, "work"), 1)

	list, err := c.ListQueues(t.Context(), &awssqs.ListQueuesInput{QueueNamePrefix: aws.String("wo")})
	if err != nil || !slices.Equal(list.QueueUrls, []string{url}) {
		t.Errorf("list: %v, %v", list.QueueUrls, err)
	}
	var paged []string
	for pages := awssqs.NewListQueuesPaginator(c, &awssqs.ListQueuesInput{MaxResults: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		paged = append(paged, page.QueueUrls...)
	}
	if len(paged) != 2 {
		t.Errorf("pages have %v", paged)
	}
	found, err := c.GetQueueUrl(t.Context(), &awssqs.GetQueueUrlInput{QueueName: aws.String("work")})
	if err != nil || *found.QueueUrl != url {
		t.Errorf("url: %v, %v", found, err)
	}
	created, err := c.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String("work"), Attributes: map[string]string{"VisibilityTimeout": "30"}})
	if err != nil || *created.QueueUrl != url {
		t.Errorf("create: %v, %v", created, err)
	}
	all, err := c.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: aws.String("http://localhost:1/000000000000/work"), AttributeNames: []types.QueueAttributeName{"All"}})
	must(t, err)
	for name, want := range map[string]string{
		"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "0",
		"QueueArn": arn("work"), "VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "MaximumMessageSize": "1048576",
		"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("dead") + `","maxReceiveCount":2}`,
	} {
		if all.Attributes[name] != want {
			t.Errorf("%s is %q, want %q", name, all.Attributes[name], want)
		}
	}
	_, err = c.SetQueueAttributes(t.Context(), &awssqs.SetQueueAttributesInput{QueueUrl: aws.String(url), Attributes: map[string]string{"VisibilityTimeout": "5", "RedrivePolicy": ""}})
	must(t, err)
	some, err := c.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{"VisibilityTimeout", "RedrivePolicy", "FifoQueue"}})
	if err != nil || fmt.Sprint(some.Attributes) != "map[VisibilityTimeout:5]" {
		t.Errorf("attributes: %v, %v", some.Attributes, err)
	}
	_, err = c.PurgeQueue(t.Context(), &awssqs.PurgeQueueInput{QueueUrl: aws.String(url)})
	must(t, err)
	wantCounts(t, queue(t, s, "work"), 0, 0, 0)
	tags, err := c.ListQueueTags(t.Context(), &awssqs.ListQueueTagsInput{QueueUrl: aws.String(url)})
	if err != nil || len(tags.Tags) != 0 {
		t.Errorf("tags: %v, %v", tags, err)
	}
}

func TestSDKMoveTask(t *testing.T) {
	t.Parallel()
	config := withDeadLetters()
	config.VisibilityTimeout = 0
	s := open(t, "", config, dead())
	c := client(t, s)
	sources, err := c.ListDeadLetterSourceQueues(t.Context(), &awssqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(strings.Replace(url, "work", "dead", 1))})
	if err != nil || !slices.Equal(sources.QueueUrls, []string{url}) {
		t.Errorf("sources: %v, %v", sources, err)
	}
	send(t, queue(t, s, "work"), "poison")
	for range 3 {
		receive(t, queue(t, s, "work"), 1)
	}
	started, err := c.StartMessageMoveTask(t.Context(), &awssqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dead"))})
	must(t, err)
	wantCounts(t, queue(t, s, "work"), 1, 0, 0)
	send(t, queue(t, s, "dead"), "from nowhere")
	_, err = c.StartMessageMoveTask(t.Context(), &awssqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dead"))})
	must(t, err)
	wantCounts(t, queue(t, s, "dead"), 1, 0, 0)
	work, err := c.ListMessageMoveTasks(t.Context(), &awssqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead")), MaxResults: aws.Int32(10)})
	must(t, err)
	if r := work.Results; len(r) != 2 || *r[0].Status != "FAILED" || !strings.HasPrefix(*r[0].FailureReason, "CouldNotDetermineMessageSource") ||
		*r[1].Status != "COMPLETED" || r[1].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("work: %+v", r)
	}
	_, err = c.CancelMessageMoveTask(t.Context(), &awssqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
	wantAPICode(t, err, "InvalidParameterValue") // it has ended
	_, err = c.CancelMessageMoveTask(t.Context(), &awssqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("eyJ0YXNrSWQiOiJ4In0=")})
	wantAPICode(t, err, "ResourceNotFoundException")
}

func TestLongPollOverHTTP(t *testing.T) {
	t.Parallel()
	config := work()
	config.ReceiveWait = 20 * time.Second
	s := open(t, "", config)
	c := client(t, s)
	got := make(chan *awssqs.ReceiveMessageOutput, 1)
	go func() {
		defer close(got)
		out, err := c.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: aws.String(url)}) // waits as the queue says
		if err != nil {
			t.Error(err)
			return
		}
		got <- out
	}()
	_, err := queue(t, s, "work").Send(t.Context(), sqs.Outgoing{Body: "a"})
	must(t, err)
	if out := <-got; out == nil || len(out.Messages) != 1 {
		t.Errorf("poll answers %+v", out)
	}
}
