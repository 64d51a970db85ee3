package sqs

import (
	"fmt"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// attributeValue is an attribute on the wire; BinaryValue is base64 there.
type attributeValue struct {
	Attribute
	StringListValues []string `query:"StringListValue"`
	BinaryListValues [][]byte `query:"BinaryListValue"`
}

// outgoing is what SendMessage and an entry of SendMessageBatch have in common.
type outgoing struct {
	MessageBody                            string
	DelaySeconds                           *int
	MessageAttributes                      map[string]attributeValue `query:"MessageAttribute,Name,Value"`
	MessageSystemAttributes                map[string]attributeValue `query:"MessageSystemAttribute,Name,Value"`
	MessageDeduplicationId, MessageGroupId *string
}

// message reads the request; header is its HTTP header.
func (o outgoing) message(c call) (Outgoing, error) {
	out := Outgoing{Body: o.MessageBody}
	for _, id := range []struct {
		name  string
		given *string
		to    *string
	}{{"MessageGroupId", o.MessageGroupId, &out.Group}, {"MessageDeduplicationId", o.MessageDeduplicationId, &out.Dedup}} {
		if id.given != nil {
			if *id.to = *id.given; *id.given == "" {
				return out, badID(id.name, "")
			}
		}
	}
	if o.DelaySeconds != nil {
		if err := inRange("DelaySeconds", *o.DelaySeconds, maxDelay, "DelaySeconds must be >= 0 and <= 900."); err != nil {
			return out, err
		}
		out.Delay = new(time.Duration(*o.DelaySeconds) * time.Second)
	}
	for name, value := range o.MessageAttributes {
		if len(value.StringListValues)+len(value.BinaryListValues) > 0 {
			return out, invalidValue("Message attribute list values in SendMessage operation are not supported.")
		}
		if out.Attributes == nil {
			out.Attributes = map[string]Attribute{}
		}
		out.Attributes[name] = value.Attribute
	}
	var err error
	out.TraceHeader, err = o.trace(c)
	return out, err
}

// trace is the message's AWSTraceHeader, or else the request's own tracing header, which SQS passes on likewise. SQS
// refuses both when they are no trace headers.
// See https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html.
func (o outgoing) trace(c call) (string, error) {
	header := c.header.Get("X-Amzn-Trace-Id")
	if header != "" && !awsid.ValidTrace(header) {
		return "", invalidValue("The request has a 'X-Amzn-Trace-Id' HTTP header which is reserved for AWS X-Ray trace header "+
			"and has an invalid value %q.", header)
	}
	for name, value := range o.MessageSystemAttributes {
		if name != "AWSTraceHeader" {
			return "", invalidValue("Message system attribute name %q is invalid. The only one that can be sent is AWSTraceHeader.", name)
		}
		if value.DataType != "String" || value.StringValue == "" {
			return "", invalidValue("The message system attribute AWSTraceHeader must be a String with a value.")
		}
		header = value.StringValue
	}
	return header, nil
}

// systemDigest is MD5OfMessageSystemAttributes, of what the sender gave.
func (o outgoing) systemDigest() string {
	attributes := map[string]Attribute{}
	for name, value := range o.MessageSystemAttributes {
		attributes[name] = value.Attribute
	}
	return MD5OfAttributes(attributes)
}

type sendRequest struct {
	QueueUrl string
	outgoing
}

type sendResponse struct {
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

func newSendResponse(s Sent, o outgoing) sendResponse {
	return sendResponse{s.ID, s.MD5OfBody, s.MD5OfAttributes, o.systemDigest(), s.SequenceNumber}
}

func (c call) sendMessage(in sendRequest) (out sendResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	message, err := in.message(c)
	if err != nil {
		return out, err
	}
	sent, err := q.Send(c.ctx, message)
	if err != nil {
		return out, err
	}
	return newSendResponse(sent, in.outgoing), nil
}

type sendEntry struct {
	Id string
	outgoing
}

type sendBatchRequest struct {
	QueueUrl string
	Entries  []sendEntry `query:"SendMessageBatchRequestEntry"`
}

type sentEntry struct {
	Id string
	sendResponse
}

func (sentEntry) xmlName() string { return "SendMessageBatchResultEntry" }

type batchResponse[T any] struct {
	Successful []T           `json:",omitempty"`
	Failed     []failedEntry `json:",omitempty" query:"BatchResultErrorEntry"`
}

// sendMessageBatch sends the good entries with one write and says what is wrong with the others.
func (c call) sendMessageBatch(in sendBatchRequest) (out batchResponse[sentEntry], err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	if err := checkEntries(in.Entries, "SendMessageBatchRequestEntry", func(e sendEntry) string { return e.Id }); err != nil {
		return out, err
	}
	var messages []Outgoing
	var entries []sendEntry
	size, rules := 0, q.rules()
	for _, e := range in.Entries {
		message, err := e.message(c)
		if err == nil {
			err = message.check(rules)
		}
		size += message.size()
		if err != nil {
			out.Failed = append(out.Failed, failed(e.Id, err))
			continue
		}
		messages, entries = append(messages, message), append(entries, e)
	}
	if size > MaxMessageSize {
		return batchResponse[sentEntry]{}, &Error{Code: "BatchRequestTooLong", Message: fmt.Sprintf(
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxMessageSize, size)}
	}
	if len(messages) == 0 {
		return out, nil
	}
	sent, err := q.send(c.ctx, messages)
	if err != nil {
		return out, err
	}
	for i, s := range sent {
		out.Successful = append(out.Successful, sentEntry{entries[i].Id, newSendResponse(s, entries[i].outgoing)})
	}
	return out, nil
}
