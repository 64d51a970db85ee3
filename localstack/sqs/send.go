package sqs

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// Outgoing is a message to send.
type Outgoing struct {
	// Body is 1 byte up to the queue's MaximumMessageSize, attributes included, in characters that XML allows.
	Body string
	// Delay hides the message at first, 0 to 15 min. nil is the queue's own delay.
	Delay *time.Duration
	// Attributes are at most 10, by name.
	Attributes map[string]Attribute
	// TraceHeader is the AWSTraceHeader, an X-Ray trace header; "" is none.
	TraceHeader string
	// Group is the MessageGroupId, 1 to 128 visible ASCII characters; "" is none.
	Group string
}

// Sent is what SQS says of a message that it took.
type Sent struct {
	// ID is the message's UUID.
	ID string
	// MD5OfBody and MD5OfAttributes are in hexadecimal; MD5OfAttributes is "" without attributes.
	MD5OfBody, MD5OfAttributes string
}

// Send puts a message into the queue. When it returns, the message outlives this process. Errors of the sender are
// *Error; others are that the journal cannot be written, or the service closed.
func (q *Queue) Send(ctx context.Context, o Outgoing) (Sent, error) {
	sent, err := q.send(ctx, []Outgoing{o})
	if err != nil {
		return Sent{}, err
	}
	return sent[0], nil
}

// send sends all messages or none.
func (q *Queue) send(ctx context.Context, batch []Outgoing) ([]Sent, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("send to queue %s: %w", q.config.Name, err)
	}
	maximum := q.maximumMessageSize()
	messages := make([]*message, len(batch))
	sent := make([]Sent, len(batch))
	for i, o := range batch {
		if err := o.check(maximum); err != nil {
			return nil, err
		}
		messages[i] = &message{ID: uuid.NewString(), Body: o.Body, Attributes: maps.Clone(o.Attributes), Trace: o.TraceHeader, Group: o.Group, md5: digest(o.Body)}
		sent[i] = Sent{ID: messages[i].ID, MD5OfBody: messages[i].md5, MD5OfAttributes: MD5OfAttributes(o.Attributes)}
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.service.closed {
		return nil, errClosed
	}
	now := time.Now()
	for i, o := range batch {
		messages[i].Sent = now.UnixMilli()
		delay := q.config.Delay
		if o.Delay != nil {
			delay = *o.Delay
		}
		if delay > 0 {
			messages[i].Delayed = now.Add(delay).UnixMilli()
		}
	}
	if err := q.add(messages, now); err != nil {
		return nil, fmt.Errorf("send to queue %s: %w", q.config.Name, err)
	}
	q.serve(now)
	return sent, nil
}

func (q *Queue) maximumMessageSize() int {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.config.MaximumMessageSize
}

// size is what counts towards the limit of message sizes.
func (o Outgoing) size() int {
	size := len(o.Body)
	for name, a := range o.Attributes {
		size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return size
}

// check says what SQS would refuse.
func (o Outgoing) check(maximum int) error {
	if o.Body == "" {
		return missing("MessageBody")
	}
	if size := o.size(); size > maximum {
		return invalidValue("One or more parameters are invalid. Reason: Message must be shorter than %d bytes; it has %d with its attributes.", maximum, size)
	}
	if o.Delay != nil && (*o.Delay < 0 || *o.Delay > maxDelay) {
		return invalidParameter("DelaySeconds", seconds(*o.Delay), "DelaySeconds must be >= 0 and <= 900.")
	}
	if len(o.Attributes) > maxAttributes {
		return invalidValue("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(o.Attributes), maxAttributes)
	}
	if o.TraceHeader != "" && !awsid.ValidTrace(o.TraceHeader) {
		return invalidParameter("AWSTraceHeader", strconv.Quote(o.TraceHeader),
			"Must be an X-Ray trace header such as Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1.")
	}
	if o.Group != "" && !groupID.MatchString(o.Group) {
		return badGroup(o.Group)
	}
	if err := checkText("The message body", o.Body); err != nil {
		return err
	}
	for name, a := range o.Attributes {
		if err := a.check(name); err != nil {
			return err
		}
	}
	return nil
}

// groupID is a MessageGroupId: alphanumeric characters and ASCII punctuation.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html.
var groupID = regexp.MustCompile(`^[!-~]{1,128}$`)

func badGroup(id string) error {
	return invalidParameter("MessageGroupId", strconv.Quote(id),
		"MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

// check says what is wrong with an attribute.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.
func (a Attribute) check(name string) error {
	lower := strings.ToLower(name)
	if !attributeName.MatchString(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") ||
		strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return invalidValue("The message attribute name %q is invalid. It has 1 to 256 letters, digits, _, - and single . within, and does not begin with AWS. or Amazon.", name)
	}
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case kind != "String" && kind != "Number" && kind != "Binary" || len(a.DataType) > 256:
		return invalidValue("The type of message attribute %q is %q. It must begin with String, Number or Binary.", name, a.DataType)
	case kind == "Binary" && (len(a.BinaryValue) == 0 || a.StringValue != ""):
		return invalidValue("The message attribute %q of type %s must have a BinaryValue, and only that.", name, a.DataType)
	case kind != "Binary" && (a.StringValue == "" || len(a.BinaryValue) != 0):
		return invalidValue("The message attribute %q of type %s must have a StringValue, and only that.", name, a.DataType)
	}
	return checkText(fmt.Sprintf("The message attribute %q", name), a.StringValue)
}

// checkText refuses what XML 1.0 cannot hold.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.
func checkText(what, text string) error {
	for i, r := range text {
		bad := r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
		if r == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(text[i:])
			bad = size == 1
		}
		if bad {
			return &Error{Code: "InvalidMessageContents", Message: fmt.Sprintf("%s has a character at byte %d that SQS does not allow: #x%X.", what, i, r)}
		}
	}
	return nil
}
