package sqs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

func wantAPICode(t *testing.T, err error, code string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code {
		t.Errorf("error is %v, want %s", err, code)
	}
}

func TestSDKErrors(t *testing.T) {
	t.Parallel()
	s := open(t, "", work())
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
	traced := func(header string) awssqs.SendMessageInput {
		return awssqs.SendMessageInput{MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(header)},
		}}
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
			_, err := c.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: aws.String("http://127.0.0.1/work")})
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
		"FIFO receive": {func() error { return receiveIn(awssqs.ReceiveMessageInput{ReceiveRequestAttemptId: here}) }, "InvalidParameterValue"},
		"empty body":   {func() error { return sendIn(awssqs.SendMessageInput{MessageBody: aws.String("")}) }, "MissingParameter"},
		"large body": {func() error {
			return sendIn(awssqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1<<20+1))})
		}, "InvalidParameterValue"},
		"control":    {func() error { return sendIn(awssqs.SendMessageInput{MessageBody: aws.String("a\x00")}) }, "InvalidMessageContents"},
		"delay":      {func() error { return sendIn(awssqs.SendMessageInput{DelaySeconds: 901}) }, "InvalidParameterValue"},
		"huge delay": {func() error { return sendIn(awssqs.SendMessageInput{DelaySeconds: math.MaxInt32}) }, "InvalidParameterValue"},
		"FIFO send":  {func() error { return sendIn(awssqs.SendMessageInput{MessageDeduplicationId: here}) }, "InvalidParameterValue"},
		"group": {func() error {
			return sendIn(awssqs.SendMessageInput{MessageGroupId: aws.String(strings.Repeat("x", 129))})
		}, "InvalidParameterValue"},
		"group with a space": {func() error { return sendIn(awssqs.SendMessageInput{MessageGroupId: aws.String("a b")}) }, "InvalidParameterValue"},
		"empty group":        {func() error { return sendIn(awssqs.SendMessageInput{MessageGroupId: aws.String("")}) }, "InvalidParameterValue"},
		"trace":              {func() error { return sendIn(traced("Root=1-abc-def\x01")) }, "InvalidParameterValue"},
		"trace without root": {func() error { return sendIn(traced("Sampled=1")) }, "InvalidParameterValue"},
		"reserved name":      {func() error { return attribute("AWS.x", text) }, "InvalidParameterValue"},
		"type":               {func() error { return attribute("x", types.MessageAttributeValue{DataType: aws.String("Int")}) }, "InvalidParameterValue"},
		"no value":           {func() error { return attribute("x", types.MessageAttributeValue{DataType: aws.String("Number")}) }, "InvalidParameterValue"},
		"create with a bad name": {func() error {
			_, err := c.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("a queue")})
			return err
		}, "InvalidParameterValue"},
		"create another": {func() error {
			_, err := c.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("work"), Attributes: map[string]string{"DelaySeconds": "9"}})
			return err
		}, "QueueAlreadyExists"},
		"delete queue": {func() error { _, err := c.DeleteQueue(ctx, &awssqs.DeleteQueueInput{QueueUrl: here}); return err }, "AWS.SimpleQueueService.UnsupportedOperation"},
		"attribute": {func() error {
			_, err := c.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{QueueUrl: here, AttributeNames: []types.QueueAttributeName{"Colour"}})
			return err
		}, "InvalidAttributeName"},
		"set KMS": {func() error {
			_, err := c.SetQueueAttributes(ctx, &awssqs.SetQueueAttributesInput{QueueUrl: here, Attributes: map[string]string{"KmsMasterKeyId": "x", "SqsManagedSseEnabled": "true"}})
			return err
		}, "InvalidAttributeName"},
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
	wantCounts(t, queue(t, s, "work"), 0, 0, 0)
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
	s := open(t, "", work())
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
		{"AmazonSQS.ListQueues", `{}}`, "com.amazon.coral.service#SerializationException", "SerializationException;Sender", "invalid character '}'"},
		{"AmazonSQS.ListQueues", `{} {}`, "com.amazon.coral.service#SerializationException", "SerializationException;Sender", "more than one JSON value"},
		{"AmazonSQS.SendMessage", `{}`, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter;Sender", "QueueUrl"},
		{"AmazonSQS.TagQueue", `{}`, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter;Sender", "QueueUrl"},
		{"AmazonSQS.Explode", `{}`, "com.amazon.coral.service#UnknownOperationException", "UnknownOperationException;Sender", "Explode"},
		{"SQS.ListQueues", "{}", "com.amazon.coral.service#UnknownOperationException", "UnknownOperationException;Sender", "X-Amz-Target"},
	} {
		r, answer := post(test.target, test.body)
		if r.StatusCode != 400 || answer["__type"] != test.code || r.Header.Get("X-Amzn-Query-Error") != test.query ||
			!strings.Contains(fmt.Sprint(answer["message"]), test.message) || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
			t.Errorf("%s %s: %d %v %v", test.target, test.body, r.StatusCode, r.Header, answer)
		}
	}

	// 18446744074 seconds are 290 ms more than 2^64 ns.
	for member, operation := range map[string]string{
		`"DelaySeconds":%s,"MessageBody":"a"`: "SendMessage", `"WaitTimeSeconds":%s`: "ReceiveMessage", `"VisibilityTimeout":%s`: "ReceiveMessage",
		`"MaxNumberOfMessages":%s`: "ReceiveMessage", `"VisibilityTimeout":%s,"ReceiptHandle":"x"`: "ChangeMessageVisibility",
		`"Attributes":{"DelaySeconds":"%s"}`: "SetQueueAttributes", `"Attributes":{"MaximumMessageSize":"%s"}`: "SetQueueAttributes",
		`"Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"a\",\"maxReceiveCount\":%s}"}`: "SetQueueAttributes",
		`"MaxResults":%s`: "ListDeadLetterSourceQueues",
	} {
		for _, number := range []string{"18446744074", "-18446744074", "9223372036854775807", "-1", "9223372036854775808", "1e3"} {
			body := `{"QueueUrl":"` + url + `",` + fmt.Sprintf(member, number) + `}`
			if r, answer := post("AmazonSQS."+operation, body); r.StatusCode != 400 {
				t.Errorf("%s %s: %d %v", operation, body, r.StatusCode, answer)
			}
		}
	}
	if r, answer := post("AmazonSQS.SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a"}`, "X-Amzn-Trace-Id", "Root=dummy"); r.StatusCode != 400 ||
		!strings.Contains(fmt.Sprint(answer["message"]), `invalid value "Root=dummy"`) {
		t.Errorf("a trace header that is none: %d %v", r.StatusCode, answer)
	}

	post("AmazonSQS.SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a"}`, "X-Amzn-Trace-Id", "Root=1-2-3;Sampled=1")
	if m := receive(t, queue(t, s, "work"), 1); m[0].SystemAttributes["AWSTraceHeader"] != "Root=1-2-3;Sampled=1" {
		t.Errorf("received %+v", m)
	}
	must(t, s.Close())
	if r, answer := post("AmazonSQS.SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a"}`); r.StatusCode != 500 {
		t.Errorf("a closed service answers %d %v", r.StatusCode, answer)
	}
}
