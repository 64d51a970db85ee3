package sqs

import (
	"slices"
	"strings"
	"time"
)

type receiveRequest struct {
	QueueUrl                    string
	MaxNumberOfMessages         *int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	AttributeNames              []string `query:"AttributeName"` // older clients; the same as MessageSystemAttributeNames
	MessageSystemAttributeNames []string `query:"MessageSystemAttributeName"`
	MessageAttributeNames       []string `query:"MessageAttributeName"`
	ReceiveRequestAttemptId     *string
}

type receiveResponse struct {
	Messages []receivedMessage `json:",omitempty" query:"Message"`
}

type receivedMessage struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string    `json:",omitempty" query:"Attribute,Name,Value"`
	MD5OfMessageAttributes string               `json:",omitempty"`
	MessageAttributes      map[string]Attribute `json:",omitempty" query:"MessageAttribute,Name,Value"`
}

// systemAttributes are the names that SQS knows. SqsManagedSseEnabled answers nothing.
var systemAttributes = []string{
	"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "AWSTraceHeader",
	"DeadLetterQueueSourceArn", "SqsManagedSseEnabled", "SequenceNumber", "MessageDeduplicationId", "MessageGroupId",
}

func (c call) receiveMessage(in receiveRequest) (out receiveResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	r, err := in.read(q)
	if err != nil {
		return out, err
	}
	messages, err := q.receive(c.ctx, r)
	for _, m := range messages {
		out.Messages = append(out.Messages, in.choose(m))
	}
	return out, err
}

// read checks the request and fills in the queue's defaults.
func (in receiveRequest) read(q *Queue) (r receiving, err error) {
	wait, fifo := q.receiveDefaults()
	r = receiving{max: 1, wait: wait}
	if id := in.ReceiveRequestAttemptId; id != nil {
		if !fifo {
			return r, invalidParameter("ReceiveRequestAttemptId", *id, badForType)
		}
		if r.attempt = *id; !groupID.MatchString(*id) {
			return r, badID("ReceiveRequestAttemptId", *id)
		}
	}
	for _, name := range slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames) {
		if !slices.Contains(systemAttributes, name) {
			return r, unknownAttribute(name)
		}
	}
	if n := in.MaxNumberOfMessages; n != nil {
		if r.max = *n; *n < 1 || *n > maxBatch {
			return r, invalidParameter("MaxNumberOfMessages", *n, "Must be between 1 and 10, if provided.")
		}
	}
	if s := in.WaitTimeSeconds; s != nil {
		if err := inRange("WaitTimeSeconds", *s, maxReceiveWait, "Must be >= 0 and <= 20, if provided."); err != nil {
			return r, err
		}
		r.wait = time.Duration(*s) * time.Second
	}
	if s := in.VisibilityTimeout; s != nil {
		if err := inRange("VisibilityTimeout", *s, maxVisibility, "Must be between 0 and 43200, if provided."); err != nil {
			return r, err
		}
		r.visibility = new(time.Duration(*s) * time.Second)
	}
	return r, nil
}

func (q *Queue) receiveDefaults() (wait time.Duration, fifo bool) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.config.ReceiveWait, q.config.fifo
}

// choose is the message with the attributes that the request asks for. The digest is of those attributes.
func (in receiveRequest) choose(m Message) receivedMessage {
	out := receivedMessage{MessageId: m.ID, ReceiptHandle: m.ReceiptHandle, MD5OfBody: m.MD5OfBody, Body: m.Body}
	for name, value := range m.SystemAttributes {
		wanted := func(n string) bool { return n == name || n == "All" }
		if slices.ContainsFunc(in.MessageSystemAttributeNames, wanted) || slices.ContainsFunc(in.AttributeNames, wanted) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	for name, value := range m.Attributes {
		if slices.ContainsFunc(in.MessageAttributeNames, func(pattern string) bool { return matches(pattern, name) }) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]Attribute{}
			}
			out.MessageAttributes[name] = value
		}
	}
	out.MD5OfMessageAttributes = MD5OfAttributes(out.MessageAttributes)
	return out
}

// matches is whether a pattern names an attribute: All, .*, a name, or a beginning with .* behind it.
func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, ".*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == "All" || pattern == name
}

type deleteRequest struct{ QueueUrl, ReceiptHandle string }

func (c call) deleteMessage(in deleteRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	if in.ReceiptHandle == "" {
		return none{}, missing("ReceiptHandle")
	}
	return none{}, q.Delete(in.ReceiptHandle)
}

type deleteEntry struct{ Id, ReceiptHandle string }

type deleteBatchRequest struct {
	QueueUrl string
	Entries  []deleteEntry `query:"DeleteMessageBatchRequestEntry"`
}

func (c call) deleteMessageBatch(in deleteBatchRequest) (out batchResponse[deletedEntry], err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	id := func(e deleteEntry) string { return e.Id }
	if err := checkEntries(in.Entries, "DeleteMessageBatchRequestEntry", id); err != nil {
		return out, err
	}
	return eachEntry[deletedEntry](in.Entries, id, func(e deleteEntry) error { return q.Delete(e.ReceiptHandle) }), nil
}

type visibilityEntry struct {
	Id, ReceiptHandle string
	VisibilityTimeout *int
}

func (e visibilityEntry) apply(q *Queue) error {
	if e.VisibilityTimeout == nil {
		return missing("VisibilityTimeout")
	}
	if err := inRange("VisibilityTimeout", *e.VisibilityTimeout, maxVisibility, "Must be between 0 and 43200."); err != nil {
		return err
	}
	return q.ChangeVisibility(e.ReceiptHandle, time.Duration(*e.VisibilityTimeout)*time.Second)
}

type visibilityRequest struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       *int
}

func (c call) changeMessageVisibility(in visibilityRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	return none{}, visibilityEntry{ReceiptHandle: in.ReceiptHandle, VisibilityTimeout: in.VisibilityTimeout}.apply(q)
}

type visibilityBatchRequest struct {
	QueueUrl string
	Entries  []visibilityEntry `query:"ChangeMessageVisibilityBatchRequestEntry"`
}

func (c call) changeMessageVisibilityBatch(in visibilityBatchRequest) (out batchResponse[changedEntry], err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	id := func(e visibilityEntry) string { return e.Id }
	if err := checkEntries(in.Entries, "ChangeMessageVisibilityBatchRequestEntry", id); err != nil {
		return out, err
	}
	return eachEntry[changedEntry](in.Entries, id, func(e visibilityEntry) error { return e.apply(q) }), nil
}
