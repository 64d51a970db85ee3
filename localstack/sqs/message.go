package sqs

import (
	"container/list"
	"maps"
	"strconv"
	"time"
)

// Attribute is a message attribute's value.
type Attribute struct {
	// DataType is String, Number or Binary, perhaps with a label behind a dot, such as Number.int.
	DataType string
	// StringValue is the value of a String or Number.
	StringValue string `json:",omitempty"`
	// BinaryValue is the value of a Binary.
	BinaryValue []byte `json:",omitempty"`
}

// Message is one received message. Its maps are its receiver's own.
type Message struct {
	// ID is a UUID, the same at each receive.
	ID string
	// ReceiptHandle names this receive, for Delete and ChangeVisibility.
	ReceiptHandle string
	Body          string
	// MD5OfBody is in hexadecimal.
	MD5OfBody string
	// SystemAttributes are SenderId, SentTimestamp, ApproximateReceiveCount and ApproximateFirstReceiveTimestamp, and if the
	// message has them AWSTraceHeader, MessageGroupId, MessageDeduplicationId, SequenceNumber and DeadLetterQueueSourceArn.
	// Times are epoch milliseconds.
	SystemAttributes map[string]string
	// Attributes are the sender's; nil without any.
	Attributes map[string]Attribute
	// VisibleAt is when the message becomes visible again unless it is deleted or its visibility changed.
	VisibleAt time.Time
}

// senderID is the SenderId of all messages. On AWS it is the unique id of the caller's role and session.
const senderID = "AROALOCALSTACK000000:local"

// message is a message in a queue. The exported fields are its record in the journal.
type message struct {
	ID         string               `json:"id"`
	Body       string               `json:"body"`
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	// Trace is the AWSTraceHeader.
	Trace string `json:"trace,omitempty"`
	// Group is the MessageGroupId.
	Group string `json:"group,omitempty"`
	// Dedup is the MessageDeduplicationId, and Seq the SequenceNumber, of a message in a FIFO queue.
	Dedup string `json:"dedup,omitempty"`
	Seq   int64  `json:"seq,omitempty"`
	// Sent, First and Delayed are epoch milliseconds: of the sending, of the first receive or 0, and when a message
	// sent with a delay becomes visible, or 0.
	Sent    int64 `json:"sent"`
	First   int64 `json:"first,omitempty"`
	Delayed int64 `json:"delayed,omitempty"`
	// Receives counts receives in all queues.
	Receives int `json:"receives,omitempty"`
	// Source is the ARN of the queue that redrove the message to this one.
	Source string `json:"source,omitempty"`

	md5 string // of the body

	order     uint64 // in its queue, by the time of sending
	state     state
	elem      *list.Element // in its lane's list
	hidden    int           // index in the heap of hidden messages, or in its lane's heap
	expiry    int           // index in the heap of expiries
	visibleAt time.Time
	received  time.Time // the last receive
	changed   bool      // the visibility was changed since
}

// delivery is the message as its receiver gets it.
func (m *message) delivery(handle string) Message {
	system := map[string]string{
		"SenderId":                         senderID,
		"SentTimestamp":                    strconv.FormatInt(m.Sent, 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First, 10),
	}
	if m.Trace != "" {
		system["AWSTraceHeader"] = m.Trace
	}
	if m.Group != "" {
		system["MessageGroupId"] = m.Group
	}
	if m.Dedup != "" {
		system["MessageDeduplicationId"] = m.Dedup
	}
	if m.Seq != 0 {
		system["SequenceNumber"] = sequenceNumber(m.Seq)
	}
	if m.Source != "" {
		system["DeadLetterQueueSourceArn"] = m.Source
	}
	return Message{
		ID: m.ID, ReceiptHandle: handle, Body: m.Body, MD5OfBody: m.md5,
		SystemAttributes: system, Attributes: maps.Clone(m.Attributes), VisibleAt: m.visibleAt,
	}
}
