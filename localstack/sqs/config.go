package sqs

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
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

// QueueConfig is what a template says of a queue.
type QueueConfig struct {
	// Name is 1 to 80 letters, digits, hyphens and underscores. Names that end with .fifo are refused.
	Name string
	// VisibilityTimeout is how long a received message is hidden, 0 to 12 h. 0 hides it for no time; SQS's default of
	// 30 s is for the caller to fill in.
	VisibilityTimeout time.Duration
	// Delay is how long a new message is hidden, 0 to 15 min; default 0.
	Delay time.Duration
	// ReceiveWait is how long a receive without WaitTimeSeconds waits for messages, 0 to 20 s; default 0.
	ReceiveWait time.Duration
	// Retention is how long a message lives, 1 min to 14 days; default 4 days.
	Retention time.Duration
	// MaximumMessageSize is in bytes, 1 KiB to 1 MiB; default 1 MiB.
	MaximumMessageSize int
	// Redrive moves messages that were received too often; nil never does.
	Redrive *Redrive
}

// Redrive names a dead letter queue.
type Redrive struct {
	// DeadLetterARN is a queue of the same service, which may be created later. While there is none, messages stay
	// where they are.
	DeadLetterARN string
	// MaxReceiveCount is how often a message is received before it is moved, 1 to 1000.
	MaxReceiveCount int
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (c QueueConfig) withDefaults() QueueConfig {
	c.Retention = cmp.Or(c.Retention, 4*24*time.Hour)
	c.MaximumMessageSize = cmp.Or(c.MaximumMessageSize, MaxMessageSize)
	return c
}

// check says what is out of range.
func (c QueueConfig) check() error {
	if strings.HasSuffix(c.Name, ".fifo") {
		return unsupported("FIFO queues")
	}
	if !queueName.MatchString(c.Name) {
		return invalidValue("name is %q; allowed are 1 to 80 letters, digits, - and _", c.Name)
	}
	for _, d := range []struct {
		name            string
		value, min, max time.Duration
	}{
		{"VisibilityTimeout", c.VisibilityTimeout, 0, maxVisibility},
		{"DelaySeconds", c.Delay, 0, maxDelay},
		{"ReceiveMessageWaitTimeSeconds", c.ReceiveWait, 0, maxReceiveWait},
		{"MessageRetentionPeriod", c.Retention, minRetention, maxRetention},
	} {
		if d.value < d.min || d.value > d.max {
			return invalidAttribute(d.name, seconds(d.value), fmt.Sprintf("%s to %s seconds", seconds(d.min), seconds(d.max)))
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
