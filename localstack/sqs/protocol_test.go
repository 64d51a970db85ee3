package sqs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"ksu/localstack/sqs"
)

// The SDK verifies the digests of what it sends and receives, so these tests do.

func TestSDKRoundTrip(t *testing.T) {
	t.Parallel()
	c := client(t, open(t, "", tasks()))
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
	c := client(t, open(t, "", tasks()))
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
		send(t, queue(t, s, "tasks"), "a")
	}
	receive(t, queue(t, s, "tasks"), 1)

	list, err := c.ListQueues(t.Context(), &awssqs.ListQueuesInput{QueueNamePrefix: aws.String("ta")})
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
	found, err := c.GetQueueUrl(t.Context(), &awssqs.GetQueueUrlInput{QueueName: aws.String("tasks")})
	if err != nil || *found.QueueUrl != url {
		t.Errorf("url: %v, %v", found, err)
	}
	created, err := c.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String("tasks"), Attributes: map[string]string{"VisibilityTimeout": "30"}})
	if err != nil || *created.QueueUrl != url {
		t.Errorf("create: %v, %v", created, err)
	}
	all, err := c.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: aws.String("http://localhost:1/000000000000/tasks"), AttributeNames: []types.QueueAttributeName{"All"}})
	must(t, err)
	for name, want := range map[string]string{
		"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "0",
		"QueueArn": arn("tasks"), "VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "MaximumMessageSize": "1048576",
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
	wantCounts(t, queue(t, s, "tasks"), 0, 0, 0)
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
	sources, err := c.ListDeadLetterSourceQueues(t.Context(), &awssqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(strings.Replace(url, "tasks", "dead", 1))})
	if err != nil || !slices.Equal(sources.QueueUrls, []string{url}) {
		t.Errorf("sources: %v, %v", sources, err)
	}
	send(t, queue(t, s, "tasks"), "poison")
	for range 3 {
		receive(t, queue(t, s, "tasks"), 1)
	}
	started, err := c.StartMessageMoveTask(t.Context(), &awssqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dead"))})
	must(t, err)
	wantCounts(t, queue(t, s, "tasks"), 1, 0, 0)
	send(t, queue(t, s, "dead"), "from nowhere")
	_, err = c.StartMessageMoveTask(t.Context(), &awssqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dead"))})
	must(t, err)
	wantCounts(t, queue(t, s, "dead"), 1, 0, 0)
	tasks, err := c.ListMessageMoveTasks(t.Context(), &awssqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dead")), MaxResults: aws.Int32(10)})
	must(t, err)
	if r := tasks.Results; len(r) != 2 || *r[0].Status != "FAILED" || !strings.HasPrefix(*r[0].FailureReason, "CouldNotDetermineMessageSource") ||
		*r[1].Status != "COMPLETED" || r[1].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("tasks: %+v", r)
	}
	_, err = c.CancelMessageMoveTask(t.Context(), &awssqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
	wantAPICode(t, err, "ResourceNotFoundException")
}

func wantAPICode(t *testing.T, err error, code string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code {
		t.Errorf("error is %v, want %s", err, code)
	}
}

func TestSDKErrors(t *testing.T) {
	t.Parallel()
	s := open(t, "", tasks())
	c := client(t, s)
	ctx := t.Context()
	nowhere := aws.String("http://127.0.0.1:4566/000000000000/nowhere")
	here := aws.String(url)
	sendIn := func(in awssqs.SendMessageInput) error {
		in.QueueUrl = here
		if in.MessageBody == nil {
			in.MessageBody = aws.String("a")
		}
		_, err := c.SendMessage(ctx, &in)
		return err
	}
	receiveIn := func(in awssqs.ReceiveMessageInput) error {
		in.QueueUrl = here
		_, err := c.ReceiveMessage(ctx, &in)
		return err
	}
	attribute := func(name string, v types.MessageAttributeValue) error {
		return sendIn(awssqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{name: v}})
	}
	text := types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
	for name, test := range map[string]struct {
		do   func() error
		code string
	}{
		"no queue": {func() error {
			_, err := c.SendMessage(ctx, &awssqs.SendMessageInput{QueueUrl: nowhere, MessageBody: aws.String("a")})
			if _, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
				t.Errorf("error is %T", err)
			}
			return err
		}, "AWS.SimpleQueueService.NonExistentQueue"},
		"no url": {func() error {
			_, err := c.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: aws.String("tasks")})
			return err
		}, "InvalidAddress"},
		"handle": {func() error {
			_, err := c.DeleteMessage(ctx, &awssqs.DeleteMessageInput{QueueUrl: here, ReceiptHandle: aws.String("x")})
			if _, ok := errors.AsType[*types.ReceiptHandleIsInvalid](err); !ok {
				t.Errorf("error is %T", err)
			}
			return err
		}, "ReceiptHandleIsInvalid"},
		"too many":     {func() error { return receiveIn(awssqs.ReceiveMessageInput{MaxNumberOfMessages: 11}) }, "InvalidParameterValue"},
		"too long":     {func() error { return receiveIn(awssqs.ReceiveMessageInput{WaitTimeSeconds: 21}) }, "InvalidParameterValue"},
		"invisible":    {func() error { return receiveIn(awssqs.ReceiveMessageInput{VisibilityTimeout: 43201}) }, "InvalidParameterValue"},
		"FIFO receive": {func() error { return receiveIn(awssqs.ReceiveMessageInput{ReceiveRequestAttemptId: here}) }, "AWS.SimpleQueueService.UnsupportedOperation"},
		"empty body":   {func() error { return sendIn(awssqs.SendMessageInput{MessageBody: aws.String("")}) }, "MissingParameter"},
		"large body": {func() error {
			return sendIn(awssqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1<<20+1))})
		}, "InvalidParameterValue"},
		"control":       {func() error { return sendIn(awssqs.SendMessageInput{MessageBody: aws.String("a\x00")}) }, "InvalidMessageContents"},
		"delay":         {func() error { return sendIn(awssqs.SendMessageInput{DelaySeconds: 901}) }, "InvalidParameterValue"},
		"FIFO send":     {func() error { return sendIn(awssqs.SendMessageInput{MessageGroupId: here}) }, "AWS.SimpleQueueService.UnsupportedOperation"},
		"reserved name": {func() error { return attribute("AWS.x", text) }, "InvalidParameterValue"},
		"type":          {func() error { return attribute("x", types.MessageAttributeValue{DataType: aws.String("Int")}) }, "InvalidParameterValue"},
		"no value":      {func() error { return attribute("x", types.MessageAttributeValue{DataType: aws.String("Number")}) }, "InvalidParameterValue"},
		"create": {func() error {
			_, err := c.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("new")})
			return err
		}, "AWS.SimpleQueueService.UnsupportedOperation"},
		"create another": {func() error {
			_, err := c.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("tasks"), Attributes: map[string]string{"DelaySeconds": "9"}})
			return err
		}, "QueueAlreadyExists"},
		"delete queue": {func() error { _, err := c.DeleteQueue(ctx, &awssqs.DeleteQueueInput{QueueUrl: here}); return err }, "AWS.SimpleQueueService.UnsupportedOperation"},
		"attribute": {func() error {
			_, err := c.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{QueueUrl: here, AttributeNames: []types.QueueAttributeName{"Colour"}})
			return err
		}, "InvalidAttributeName"},
		"set KMS": {func() error {
			_, err := c.SetQueueAttributes(ctx, &awssqs.SetQueueAttributesInput{QueueUrl: here, Attributes: map[string]string{"KmsMasterKeyId": "x"}})
			return err
		}, "AWS.SimpleQueueService.UnsupportedOperation"},
		"set delay": {func() error {
			_, err := c.SetQueueAttributes(ctx, &awssqs.SetQueueAttributesInput{QueueUrl: here, Attributes: map[string]string{"DelaySeconds": "901"}})
			return err
		}, "InvalidAttributeValue"},
		"empty batch": {func() error {
			_, err := c.SendMessageBatch(ctx, &awssqs.SendMessageBatchInput{QueueUrl: here, Entries: []types.SendMessageBatchRequestEntry{}})
			return err
		}, "AWS.SimpleQueueService.EmptyBatchRequest"},
		"same ids":    {func() error { return batchOf(t, c, "a", "a") }, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"},
		"bad id":      {func() error { return batchOf(t, c, "a b") }, "AWS.SimpleQueueService.InvalidBatchEntryId"},
		"large batch": {func() error { return batchOf(t, c, strings.Split("abcdefghijk", "")...) }, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"},
	} {
		t.Run(name, func(t *testing.T) { wantAPICode(t, test.do(), test.code) })
	}
	wantCounts(t, queue(t, s, "tasks"), 0, 0, 0)
}

func batchOf(t *testing.T, c *awssqs.Client, ids ...string) error {
	var entries []types.SendMessageBatchRequestEntry
	for _, id := range ids {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String("x")})
	}
	_, err := c.SendMessageBatch(t.Context(), &awssqs.SendMessageBatchInput{QueueUrl: aws.String(url), Entries: entries})
	return err
}

func TestWire(t *testing.T) {
	t.Parallel()
	s := open(t, "", tasks())
	post := func(target, body string, header ...string) (*http.Response, map[string]any) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", target)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		text, err := io.ReadAll(w.Result().Body)
		must(t, err)
		var answer map[string]any
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s answers %q", target, text)
		}
		return w.Result(), answer
	}
	for _, test := range []struct{ target, body, code, query, message string }{
		{"AmazonSQS.SendMessage", `{"QueueUrl":"/000000000000/no","MessageBody":"a"}`, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender", "The specified queue does not exist."},
		{"AmazonSQS.SendMessage", `{"QueueUrl":"` + url + `","Colour":1}`, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender", "Colour"},
		{"AmazonSQS.SendMessage", `{"QueueUrl":1}`, "com.amazon.coral.service#SerializationException", "SerializationException;Sender", "QueueUrl"},
		{"AmazonSQS.SendMessage", `{}`, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter;Sender", "QueueUrl"},
		{"AmazonSQS.TagQueue", `{}`, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender", "TagQueue"},
		{"AmazonSQS.Explode", `{}`, "com.amazon.coral.service#UnknownOperationException", "UnknownOperationException;Sender", "Explode"},
		{"", "Action=ListQueues", "com.amazon.coral.service#UnknownOperationException", "UnknownOperationException;Sender", "query protocol"},
	} {
		r, answer := post(test.target, test.body)
		if r.StatusCode != 400 || answer["__type"] != test.code || r.Header.Get("X-Amzn-Query-Error") != test.query ||
			!strings.Contains(fmt.Sprint(answer["message"]), test.message) || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
			t.Errorf("%s %s: %d %v %v", test.target, test.body, r.StatusCode, r.Header, answer)
		}
	}

	post("AmazonSQS.SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a"}`, "X-Amzn-Trace-Id", "Root=1-2-3;Sampled=1")
	if m := receive(t, queue(t, s, "tasks"), 1); m[0].SystemAttributes["AWSTraceHeader"] != "Root=1-2-3;Sampled=1" {
		t.Errorf("received %+v", m)
	}
	must(t, s.Close())
	if r, answer := post("AmazonSQS.SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a"}`); r.StatusCode != 500 {
		t.Errorf("a closed service answers %d %v", r.StatusCode, answer)
	}
}

func TestLongPollOverHTTP(t *testing.T) {
	t.Parallel()
	config := tasks()
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
	_, err := queue(t, s, "tasks").Send(t.Context(), sqs.Outgoing{Body: "a"})
	must(t, err)
	if out := <-got; out == nil || len(out.Messages) != 1 {
		t.Errorf("poll answers %+v", out)
	}
}
