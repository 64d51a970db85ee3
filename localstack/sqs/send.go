package sqs

import (
	"context"
	"errors"
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
	// Group is the MessageGroupId, 1 to 128 visible ASCII characters; "" is none. A message of a FIFO queue must have one.
	Group string
	// Dedup is the MessageDeduplicationId, 1 to 128 visible ASCII characters; "" is none. Only FIFO queues have it.
	Dedup string
}

// Sent is what SQS says of a message that it took.
type Sent struct {
	// ID is the message's UUID.
	ID string
	// MD5OfBody and MD5OfAttributes are in hexadecimal; MD5OfAttributes is "" without attributes.
	MD5OfBody, MD5OfAttributes string
	// SequenceNumber has 20 digits; "" in a standard queue.
	SequenceNumber string
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
	rules := q.rules()
	messages := make([]*message, len(batch))
	sent := make([]Sent, len(batch))
	for i, o := range batch {
		if err := o.check(rules); err != nil {
			return nil, err
		}
		messages[i] = &message{ID: uuid.NewString(), Body: o.Body, Attributes: maps.Clone(o.Attributes), Trace: o.TraceHeader, Group: o.Group, Dedup: o.dedup(rules), md5: digest(o.Body)}
		sent[i] = Sent{ID: messages[i].ID, MD5OfBody: messages[i].md5, MD5OfAttributes: MD5OfAttributes(o.Attributes)}
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if err := q.usable(); err != nil {
		return nil, err
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
	fresh := messages
	if q.config.fifo {
		fresh = q.unknown(messages, sent, now)
	}
	if err := q.add(fresh, now); err != nil {
		return nil, fmt.Errorf("send to queue %s: %w", q.config.Name, err)
	}
	if q.config.fifo {
		q.sentFIFO(messages, fresh, sent)
	}
	q.serve(now)
	return sent, nil
}

// rules are the settings that decide which messages a queue accepts.
type rules struct {
	maximum            int
	fifo, contentBased bool
}

func (q *Queue) rules() rules {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return rules{q.config.MaximumMessageSize, q.config.fifo, q.config.contentBased}
}

// dedup is the message's deduplication id.
func (o Outgoing) dedup(r rules) string {
	if o.Dedup == "" && r.fifo && r.contentBased {
		return contentID(o.Body)
	}
	return o.Dedup
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
func (o Outgoing) check(r rules) error {
	if o.Body == "" {
		return missing("MessageBody")
	}
	if size := o.size(); size > r.maximum {
		return invalidValue("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", r.maximum)
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
		return badID("MessageGroupId", o.Group)
	}
	if err := o.checkFIFO(r); err != nil {
		return err
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

func badID(parameter, id string) error {
	return invalidParameter(parameter, id, parameter+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
}

const badForType = "The request include parameter that is not valid for this queue type."

// checkFIFO refuses parameters that are for the other type of queue.
func (o Outgoing) checkFIFO(r rules) error {
	switch {
	case !r.fifo && o.Dedup != "":
		return invalidParameter("MessageDeduplicationId", o.Dedup, badForType)
	case !r.fifo:
		return nil
	case o.Group == "":
		return missing("MessageGroupId")
	case o.Dedup != "" && !groupID.MatchString(o.Dedup):
		return badID("MessageDeduplicationId", o.Dedup)
	case o.Dedup == "" && !r.contentBased:
		return invalidValue("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case o.Delay != nil && *o.Delay != 0:
		return invalidParameter("DelaySeconds", seconds(*o.Delay), badForType)
	}
	return nil
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

// check says what is wrong with an attribute.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.
func (a Attribute) check(name string) error {
	lower := strings.ToLower(name)
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case !attributeName.MatchString(name):
		return invalidValue("Message (user) attribute name can only contain upper and lower score characters, digits, periods, hyphens and underscores.")
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalidValue("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.")
	case strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
		return invalidValue("You can't use message attribute names beginning or ending with a period, or having periods in succession.")
	case a.DataType == "":
		return invalidValue("The message attribute '%s' must contain non-empty message attribute type.", name)
	case kind != "String" && kind != "Number" && kind != "Binary" || len(a.DataType) > 256:
		return invalidValue("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
	case kind == "Binary" && (len(a.BinaryValue) == 0 || a.StringValue != ""), kind != "Binary" && (a.StringValue == "" || len(a.BinaryValue) != 0):
		return invalidValue("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	}
	if _, err := strconv.ParseFloat(a.StringValue, 64); kind == "Number" && err != nil && !errors.Is(err, strconv.ErrRange) {
		return invalidValue("Can't cast the value of message (user) attribute '%s' to a number.", name)
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
