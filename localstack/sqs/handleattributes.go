package sqs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// absentAttributes are the queue attributes that SQS has and a queue of the local stack does not: asking for them
// answers nothing, setting them is refused.
var absentAttributes = []string{
	"Policy", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds",
	"DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy", "SqsManagedSseEnabled",
}

type getAttributesRequest struct {
	QueueUrl       string
	AttributeNames []string `query:"AttributeName"`
}

type attributesResponse struct {
	Attributes map[string]string `json:",omitempty" query:"Attribute,Name,Value"`
}

func (c call) getQueueAttributes(in getAttributesRequest) (out attributesResponse, err error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return out, err
	}
	out.Attributes, err = q.attributes(in.AttributeNames)
	return out, err
}

// attributes are the queue's attributes with these names, or all of them for All.
func (q *Queue) attributes(names []string) (map[string]string, error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.advance(time.Now())
	counts, c := q.counts(), q.config
	all := map[string]string{
		"QueueArn":                              q.ARN(),
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(counts.Delayed),
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.modified.Unix(), 10),
		"VisibilityTimeout":                     seconds(c.VisibilityTimeout),
		"DelaySeconds":                          seconds(c.Delay),
		"ReceiveMessageWaitTimeSeconds":         seconds(c.ReceiveWait),
		"MessageRetentionPeriod":                seconds(c.Retention),
		"MaximumMessageSize":                    strconv.Itoa(c.MaximumMessageSize),
	}
	if c.Redrive != nil {
		all["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, c.Redrive.DeadLetterARN, c.Redrive.MaxReceiveCount)
	}
	if slices.Contains(names, "All") {
		return all, nil
	}
	chosen := map[string]string{}
	for _, name := range names {
		if value, ok := all[name]; ok {
			chosen[name] = value
		} else if name != "RedrivePolicy" && !slices.Contains(absentAttributes, name) {
			return nil, unknownAttribute(name)
		}
	}
	return chosen, nil
}

func unknownAttribute(name string) error {
	return &Error{Code: "InvalidAttributeName", Message: fmt.Sprintf("Unknown Attribute %s.", name)}
}

type setAttributesRequest struct {
	QueueUrl   string
	Attributes map[string]string `query:"Attribute,Name,Value"`
}

// setQueueAttributes changes a queue until the stack stops; the next start has the template's again.
func (c call) setQueueAttributes(in setAttributesRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	config := q.config
	for name, value := range in.Attributes {
		if err := setAttribute(&config, name, value); err != nil {
			return none{}, err
		}
	}
	if err := check(config); err != nil {
		return none{}, err
	}
	q.config, q.modified = config, time.Now()
	return none{}, nil
}

func setAttribute(c *spec.Queue, name, value string) error {
	if slices.Contains(absentAttributes, name) {
		return unsupported("the queue attribute " + name)
	}
	if name == "RedrivePolicy" {
		return setRedrive(c, value)
	}
	number, err := strconv.Atoi(value)
	if err != nil {
		return invalidAttribute(name, strconv.Quote(value), "whole numbers")
	}
	if name == "MaximumMessageSize" {
		c.MaximumMessageSize = number
		return nil
	}
	for _, d := range durations(c) {
		if d.name != name {
			continue
		}
		if number < int(d.min/time.Second) || number > int(d.max/time.Second) { // before it becomes a duration, which overflows
			return d.outOfRange(value)
		}
		*d.to = time.Duration(number) * time.Second
		return nil
	}
	return unknownAttribute(name)
}

// setRedrive reads a RedrivePolicy; "" takes it away. SQS takes the count as a number or a string.
func setRedrive(c *spec.Queue, value string) error {
	if value == "" {
		c.Redrive = nil
		return nil
	}
	var policy struct {
		DeadLetterTargetArn string      `json:"deadLetterTargetArn"`
		MaxReceiveCount     json.Number `json:"maxReceiveCount"`
	}
	err := json.Unmarshal([]byte(value), &policy)
	count, countErr := policy.MaxReceiveCount.Int64()
	if err != nil || countErr != nil || policy.DeadLetterTargetArn == "" {
		return invalidAttribute("RedrivePolicy", value, `{"deadLetterTargetArn":"arn:…","maxReceiveCount":3}`)
	}
	c.Redrive = &spec.Redrive{DeadLetterARN: policy.DeadLetterTargetArn, MaxReceiveCount: int(count)}
	return nil
}
