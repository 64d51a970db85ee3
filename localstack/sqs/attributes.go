package sqs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// attribute is a queue attribute that can be set. get answers "" for one that is not set.
type attribute struct {
	name string
	fifo bool // a standard queue does not have it
	get  func(*settings) string
	set  func(*settings, string) error
}

// queueAttributes are the attributes of SetQueueAttributes.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html.
var queueAttributes = []attribute{
	secondsAttribute("VisibilityTimeout", 0, maxVisibility, func(c *settings) *time.Duration { return &c.VisibilityTimeout }),
	secondsAttribute("DelaySeconds", 0, maxDelay, func(c *settings) *time.Duration { return &c.Delay }),
	secondsAttribute("ReceiveMessageWaitTimeSeconds", 0, maxReceiveWait, func(c *settings) *time.Duration { return &c.ReceiveWait }),
	secondsAttribute("MessageRetentionPeriod", minRetention, maxRetention, func(c *settings) *time.Duration { return &c.Retention }),
	{
		name: "MaximumMessageSize",
		get:  func(c *settings) string { return strconv.Itoa(c.MaximumMessageSize) },
		set: func(c *settings, value string) (err error) {
			c.MaximumMessageSize, err = number("MaximumMessageSize", value, minMessageSize, MaxMessageSize)
			return err
		},
	},
	{name: "RedrivePolicy", get: getRedrive, set: setRedrive},
	{name: "RedriveAllowPolicy", get: getAllow, set: setAllow},
	{name: "Policy", get: func(c *settings) string { return c.policy }, set: setPolicy},
	{
		name: "SqsManagedSseEnabled",
		get:  func(c *settings) string { return strconv.FormatBool(c.managedSSE) },
		set: func(c *settings, value string) (err error) {
			if c.managedSSE, err = boolean("SqsManagedSseEnabled", value); c.managedSSE {
				c.kmsKey = ""
			}
			return err
		},
	},
	{
		name: "KmsMasterKeyId",
		get:  func(c *settings) string { return c.kmsKey },
		set: func(c *settings, value string) error {
			if c.kmsKey = value; value != "" {
				c.managedSSE = false
			}
			return nil
		},
	},
	kmsReuse(),
	{
		name: "FifoQueue", fifo: true,
		get: func(c *settings) string { return strconv.FormatBool(c.fifo) },
		set: func(c *settings, value string) error {
			if value != "true" {
				return invalidAttribute("FifoQueue", "Modifying queue type is not supported.")
			}
			return nil
		},
	},
	{
		name: "ContentBasedDeduplication", fifo: true,
		get: func(c *settings) string { return strconv.FormatBool(c.contentBased) },
		set: func(c *settings, value string) (err error) {
			c.contentBased, err = boolean("ContentBasedDeduplication", value)
			return err
		},
	},
	choice("DeduplicationScope", func(c *settings) *string { return &c.scope }, scopeQueue, scopeGroup),
	choice("FifoThroughputLimit", func(c *settings) *string { return &c.limit }, "perQueue", "perMessageGroupId"),
}

// countedAttributes are the attributes that only GetQueueAttributes has.
var countedAttributes = []string{
	"QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
	"CreatedTimestamp", "LastModifiedTimestamp",
}

func findAttribute(name string) (attribute, bool) {
	i := slices.IndexFunc(queueAttributes, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return attribute{}, false
	}
	return queueAttributes[i], true
}

func secondsAttribute(name string, low, high time.Duration, of func(*settings) *time.Duration) attribute {
	return attribute{
		name: name,
		get:  func(c *settings) string { return seconds(*of(c)) },
		set: func(c *settings, value string) error {
			n, err := number(name, value, int(low/time.Second), int(high/time.Second))
			*of(c) = time.Duration(n) * time.Second
			return err
		},
	}
}

// kmsReuse is an attribute that a queue without a KMS key does not show.
func kmsReuse() attribute {
	a := secondsAttribute("KmsDataKeyReusePeriodSeconds", time.Minute, 24*time.Hour, func(c *settings) *time.Duration { return &c.kmsReuse })
	get := a.get
	a.get = func(c *settings) string {
		if c.kmsKey == "" {
			return ""
		}
		return get(c)
	}
	return a
}

func choice(name string, of func(*settings) *string, values ...string) attribute {
	return attribute{
		name: name, fifo: true,
		get: func(c *settings) string { return *of(c) },
		set: func(c *settings, value string) error {
			if !slices.Contains(values, value) {
				return invalidAttribute(name, "")
			}
			*of(c) = value
			return nil
		},
	}
}

func number(name, value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, invalidAttribute(name, "")
	}
	return n, nil
}

func boolean(name, value string) (bool, error) {
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, invalidAttribute(name, "")
	}
	return b, nil
}

func getRedrive(c *settings) string {
	if c.Redrive == nil {
		return ""
	}
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, c.Redrive.DeadLetterARN, c.Redrive.MaxReceiveCount)
}

// setRedrive reads a RedrivePolicy; "" removes it. SQS accepts the count as a number or a string.
func setRedrive(c *settings, value string) error {
	if value == "" {
		c.Redrive = nil
		return nil
	}
	bad := func(format string, args ...any) error {
		return invalidParameter("RedrivePolicy", value, fmt.Sprintf(format, args...))
	}
	var policy map[string]any
	if json.Unmarshal([]byte(value), &policy) != nil || policy == nil {
		return bad("Redrive policy is not a valid JSON map.")
	}
	for _, name := range []string{"deadLetterTargetArn", "maxReceiveCount"} {
		if policy[name] == nil {
			return bad("Redrive policy does not contain mandatory attribute: %s.", name)
		}
	}
	arn, ok := policy["deadLetterTargetArn"].(string)
	if !ok || arn == "" {
		return bad("Invalid value for deadLetterTargetArn.")
	}
	text := fmt.Sprint(policy["maxReceiveCount"])
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > 1000 {
		return bad("Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", text)
	}
	c.Redrive = &spec.Redrive{DeadLetterARN: arn, MaxReceiveCount: count}
	return nil
}

// allowPolicy is a RedriveAllowPolicy: which queues may have this one as their dead letter queue.
type allowPolicy struct {
	RedrivePermission string   `json:"redrivePermission"`
	SourceQueueArns   []string `json:"sourceQueueArns,omitempty"`
}

// allows reports whether a queue may be a source.
func (p *allowPolicy) allows(arn string) bool {
	return p == nil || p.RedrivePermission == "allowAll" || p.RedrivePermission == "byQueue" && slices.Contains(p.SourceQueueArns, arn)
}

func getAllow(c *settings) string {
	if c.allow == nil {
		return ""
	}
	text, _ := json.Marshal(c.allow) // texts always encode
	return string(text)
}

func setAllow(c *settings, value string) error {
	if value == "" {
		c.allow = nil
		return nil
	}
	var p allowPolicy
	err := json.Unmarshal([]byte(value), &p)
	byQueue := p.RedrivePermission == "byQueue"
	if err != nil || !slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, p.RedrivePermission) ||
		byQueue != (len(p.SourceQueueArns) > 0) || len(p.SourceQueueArns) > 10 {
		return invalidParameter("RedriveAllowPolicy", value,
			"It must have a redrivePermission of allowAll, denyAll, or byQueue with 1 to 10 sourceQueueArns.")
	}
	c.allow = &p
	return nil
}
