package sqs

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
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
	maxInFlight    = 120_000
	maxTags        = 50
)

// settings are a queue's attributes and tags.
type settings struct {
	spec.Queue

	fifo         bool
	contentBased bool   // ContentBasedDeduplication
	scope        string // DeduplicationScope
	limit        string // FifoThroughputLimit; it has no effect

	policy string // JSON; "" without a policy
	allow  *allowPolicy

	// At most one kind of encryption is on. Neither has an effect.
	managedSSE bool
	kmsKey     string
	kmsReuse   time.Duration

	tags map[string]string
}

// newSettings are the settings of a queue of a template, or of an empty queue with a name.
func newSettings(c spec.Queue) settings {
	c.Retention = cmp.Or(c.Retention, 4*24*time.Hour)
	c.MaximumMessageSize = cmp.Or(c.MaximumMessageSize, MaxMessageSize)
	return settings{Queue: c, scope: scopeQueue, limit: "perQueue", managedSSE: true, kmsReuse: 5 * time.Minute}
}

const (
	scopeQueue = "queue"
	scopeGroup = "messageGroup"
)

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkName refuses a name that SQS refuses. The suffix .fifo belongs to FIFO queues.
func checkName(name string, fifo bool) error {
	base, suffixed := strings.CutSuffix(name, ".fifo")
	switch {
	case fifo && (!suffixed || !queueName.MatchString(base) || len(name) > 80):
		return invalidValue("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, " +
			"must end with .fifo suffix and be 1 to 80 in length.")
	case !fifo && !queueName.MatchString(name):
		return invalidValue("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// checkTemplate refuses a value of a template out of SQS's range.
func checkTemplate(c settings) error {
	if strings.HasSuffix(c.Name, ".fifo") {
		return unsupported("FIFO queues of templates")
	}
	if err := checkName(c.Name, false); err != nil {
		return err
	}
	for _, a := range queueAttributes {
		if value := a.get(&c); value != "" && !a.fifo {
			if err := a.set(&c, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply sets attributes by name. It leaves the settings as they were when it fails.
func (c *settings) apply(attributes map[string]string) error {
	changed := *c
	if attributes["KmsMasterKeyId"] != "" && attributes["SqsManagedSseEnabled"] == "true" {
		return &Error{Code: codeAttributeName, Message: "You can use one type of server-side encryption (SSE) at one time. " +
			"You can either enable KMS SSE or SQS SSE."}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a, ok := findAttribute(name)
		if !ok || a.fifo && !c.fifo {
			return unknownAttribute(name)
		}
		if err := a.set(&changed, attributes[name]); err != nil {
			return err
		}
	}
	if changed.limit == "perMessageGroupId" && changed.scope != scopeGroup {
		return invalidAttribute("FifoThroughputLimit", "It can be perMessageGroupId only with the DeduplicationScope messageGroup.")
	}
	*c = changed
	return nil
}

// difference names an attribute that the queue has with another value, or "".
func (c settings) difference(attributes map[string]string) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		wanted := c
		if err := wanted.apply(map[string]string{name: attributes[name]}); err != nil {
			return "", err
		}
		if a, _ := findAttribute(name); a.get(&wanted) != a.get(&c) {
			return name, nil
		}
	}
	return "", nil
}

// attributes are all attributes that are set, by name.
func (c settings) attributes() map[string]string {
	all := map[string]string{}
	for _, a := range queueAttributes {
		if value := a.get(&c); value != "" && (c.fifo || !a.fifo) {
			all[a.name] = value
		}
	}
	return all
}

func seconds(d time.Duration) string { return fmt.Sprint(int64(d / time.Second)) }
