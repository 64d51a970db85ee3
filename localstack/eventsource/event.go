package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// event is the function's input. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event.
type event struct {
	Records []record `json:"Records"`
}

type record struct {
	MessageID              string                      `json:"messageId"`
	ReceiptHandle          string                      `json:"receiptHandle"`
	Body                   string                      `json:"body"`
	Attributes             map[string]string           `json:"attributes"`
	MessageAttributes      map[string]messageAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                      `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                      `json:"md5OfBody"`
	EventSource            string                      `json:"eventSource"`
	EventSourceARN         string                      `json:"eventSourceARN"`
	Region                 string                      `json:"awsRegion"`
}

// messageAttribute has one of two values. SQS does not support lists; Lambda sends them empty.
type messageAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues []string `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func (m *Mapping) event(batch []sqs.Message) event {
	e := event{Records: make([]record, len(batch))}
	for i, message := range batch {
		r := record{
			MessageID: message.ID, ReceiptHandle: message.ReceiptHandle, Body: message.Body,
			Attributes: message.SystemAttributes, MessageAttributes: map[string]messageAttribute{},
			MD5OfBody: message.MD5OfBody, MD5OfMessageAttributes: sqs.MD5OfAttributes(message.Attributes),
			EventSource: "aws:sqs", EventSourceARN: m.spec.QueueARN, Region: awsid.Region,
		}
		for name, a := range message.Attributes {
			value := messageAttribute{StringListValues: []string{}, BinaryListValues: []string{}, DataType: a.DataType}
			if a.BinaryValue != nil {
				value.BinaryValue = a.BinaryValue
			} else {
				value.StringValue = &a.StringValue
			}
			r.MessageAttributes[name] = value
		}
		e.Records[i] = r
	}
	return e
}

// payloadSize estimates a message's share of the event in bytes.
func payloadSize(m sqs.Message) int {
	size := 1024 + len(m.Body) // the rest of a record takes about 1 KB
	for name, a := range m.Attributes {
		size += 128 + len(name) + len(a.StringValue) + len(a.BinaryValue)*4/3
	}
	return size
}

// failures returns the messages of a batch that a function reports as failed. An error means that the whole batch
// failed. See
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting.
func failures(batch []sqs.Message, response []byte) (map[string]bool, error) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, nil
	}
	var answer struct {
		Items []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		return nil, fmt.Errorf("the function's answer is not a batch response: %w", err)
	}
	known := map[string]bool{}
	for _, message := range batch {
		known[message.ID] = true
	}
	failed := map[string]bool{}
	for _, item := range answer.Items {
		switch {
		case item.ID == nil || *item.ID == "":
			return nil, errors.New("the function's batchItemFailures has an item without itemIdentifier")
		case !known[*item.ID]:
			return nil, fmt.Errorf("the function's batchItemFailures names %q, which is not in its batch", *item.ID)
		}
		failed[*item.ID] = true
	}
	return failed, nil
}

// names describes a batch for the log.
func names(batch []sqs.Message) string {
	if len(batch) == 1 {
		return "message " + batch[0].ID
	}
	return fmt.Sprintf("%d messages from %s on", len(batch), batch[0].ID)
}
