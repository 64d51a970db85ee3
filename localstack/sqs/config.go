package sqs

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Limits of SQS.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html.
const (
	// MaxMessageSize is the most bytes of a message, and of a batch: body and attributes.
	MaxMessageSize = 1 << 20

	maxVisibility  = 12 * time.Hour
	maxDelay       = 15 * time.Minute
	maxReceiveWait = 20 * time.Second
	minRetention   = time.Minute
	maxRetention   = 14 * 24 * time.Hour
	minMessageSize = 1 << 10
	maxBatch       = 10
	maxAttributes  = 10
)

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// withDefaults fills in what is left at zero: a queue keeps messages for 4 days and takes up to 1 MiB. A visibility timeout of
// 0 stays, since SQS allows it.
func withDefaults(c spec.Queue) spec.Queue {
	c.Retention = cmp.Or(c.Retention, 4*24*time.Hour)
	c.MaximumMessageSize = cmp.Or(c.MaximumMessageSize, MaxMessageSize)
	return c
}

// durationAttribute is a queue attribute in seconds.
type durationAttribute struct {
	name     string
	to       *time.Duration
	min, max time.Duration
}

func durations(c *spec.Queue) []durationAttribute {
	return []durationAttribute{
		{"VisibilityTimeout", &c.VisibilityTimeout, 0, maxVisibility},
		{"DelaySeconds", &c.Delay, 0, maxDelay},
		{"ReceiveMessageWaitTimeSeconds", &c.ReceiveWait, 0, maxReceiveWait},
		{"MessageRetentionPeriod", &c.Retention, minRetention, maxRetention},
	}
}

func (d durationAttribute) outOfRange(value string) error {
	return invalidAttribute(d.name, value, fmt.Sprintf("%s to %s seconds", seconds(d.min), seconds(d.max)))
}

// check says what is out of range.
func check(c spec.Queue) error {
	if strings.HasSuffix(c.Name, ".fifo") {
		return unsupported("FIFO queues")
	}
	if !queueName.MatchString(c.Name) {
		return invalidValue("name is %q; allowed are 1 to 80 letters, digits, - and _", c.Name)
	}
	for _, d := range durations(&c) {
		if *d.to < d.min || *d.to > d.max {
			return d.outOfRange(seconds(*d.to))
		}
	}
	if c.MaximumMessageSize < minMessageSize || c.MaximumMessageSize > MaxMessageSize {
		return invalidAttribute("MaximumMessageSize", fmt.Sprint(c.MaximumMessageSize), fmt.Sprintf("%d to %d bytes", minMessageSize, MaxMessageSize))
	}
	if r := c.Redrive; r != nil && (r.MaxReceiveCount < 1 || r.MaxReceiveCount > 1000) {
		return invalidAttribute("maxReceiveCount of RedrivePolicy", fmt.Sprint(r.MaxReceiveCount), "1 to 1000")
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprint(int64(d / time.Second)) }
