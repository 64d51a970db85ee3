package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// none is an answer without members.
type none struct{}

type queueRequest struct{ QueueUrl string }

type queueURLResponse struct{ QueueUrl string }

type createQueueRequest struct {
	QueueName  string
	Attributes map[string]string `query:"Attribute,Name,Value"`
	Tags       map[string]string `json:"tags" query:"Tag,Key,Value"`
}

// recreateAfter is how long a name cannot be used again after DeleteQueue.
const recreateAfter = time.Minute

// createQueue answers with the queue that exists if it has the same attributes.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html.
func (c call) createQueue(in createQueueRequest) (out queueURLResponse, err error) {
	if in.QueueName == "" {
		return out, missing("QueueName")
	}
	config := newSettings(spec.Queue{Name: in.QueueName, VisibilityTimeout: 30 * time.Second})
	config.fifo = in.Attributes["FifoQueue"] == "true"
	if err := checkName(in.QueueName, config.fifo); err != nil {
		return out, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return out, errClosed
	}
	key := queueKey{c.caller.Account, c.caller.Region, in.QueueName}
	if q, exists := c.queues[key]; exists {
		name, err := q.config.difference(in.Attributes)
		if name != "" {
			err = &Error{Code: codeExists, Message: "A queue already exists with the same name and a different value for attribute " + name}
		}
		return queueURLResponse{q.URL()}, err
	}
	if deleted, ok := c.deleted[key]; ok && time.Since(deleted) < recreateAfter {
		return out, &Error{Code: codeDeleted, Message: "You must wait 60 seconds after deleting a queue before you can create another with the same name."}
	}
	if err := config.apply(in.Attributes); err != nil {
		return out, err
	}
	if err := c.checkRedrive(key.arn(), config, in.Attributes); err != nil {
		return out, err
	}
	if len(in.Tags) > 0 {
		if err := config.tag(in.Tags); err != nil {
			return out, err
		}
	}
	q, err := c.addQueue(key, config)
	if err != nil {
		return out, err
	}
	return queueURLResponse{q.URL()}, nil
}

// addQueue begins the queue's journal; mu is held. Messages in a journal that a template's queue of that name left behind
// are the new queue's.
func (s *Service) addQueue(key queueKey, config settings) (*Queue, error) {
	q := newQueue(s, key, config)
	if s.options.Dir != "" {
		if err := q.open(s.path(key)); err != nil {
			return nil, fmt.Errorf("create queue %s: %w", key.name, err)
		}
		q.config = config
		if err := q.rewriteAll(); err != nil {
			return nil, errors.Join(fmt.Errorf("create queue %s: %w", key.name, err), q.journal.close())
		}
	}
	s.queues[key] = q
	delete(s.deleted, key)
	return q, nil
}

// checkRedrive refuses a new RedrivePolicy whose dead letter queue does not exist, is of the other type, or does not allow
// the queue; mu is held.
func (s *Service) checkRedrive(arn string, config settings, attributes map[string]string) error {
	text := attributes["RedrivePolicy"]
	if text == "" {
		return nil
	}
	target, ok := s.byARN(config.Redrive.DeadLetterARN)
	switch {
	case !ok:
		return invalidParameter("RedrivePolicy", text, "Dead letter target does not exist.")
	case target.config.fifo != config.fifo:
		return invalidParameter("RedrivePolicy", text, "Dead-letter queue must be same type of queue as the source.")
	case !target.config.allow.allows(arn):
		return invalidParameter("RedrivePolicy", text, "The RedriveAllowPolicy of the dead letter queue does not allow this queue.")
	}
	return nil
}

// deleteQueue deletes a queue with its messages and its journal.
func (c call) deleteQueue(in queueRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := q.usable(); err != nil {
		return none{}, err
	}
	if q.declared {
		return none{}, unsupported("deleting the queue " + q.key.name + ": it is the template's")
	}
	if q.journal.file != nil {
		if err := os.Remove(q.journal.path); err != nil {
			return none{}, fmt.Errorf("delete queue: %w", err)
		}
	}
	q.gone = true
	delete(c.queues, q.key)
	c.deleted[q.key] = time.Now()
	return none{}, q.close(noQueue())
}

// changeQueue changes settings, and keeps them in the journal unless the template declares the queue; then they last until
// the local stack stops.
func (c call) changeQueue(queueURL string, change func(*Queue, *settings) error) (none, error) {
	q, err := c.byURL(queueURL)
	if err != nil {
		return none{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := q.usable(); err != nil {
		return none{}, err
	}
	config := q.config
	if err := change(q, &config); err != nil {
		return none{}, err
	}
	return none{}, q.setConfig(config)
}

func (q *Queue) setConfig(config settings) error {
	if !q.declared {
		line, err := appendRecord(nil, q.queueRecord(config))
		if err != nil {
			return err
		}
		if err := q.journal.write(line, 1); err != nil {
			return err
		}
	}
	rekey := config.scope != q.config.scope
	q.config, q.modified = config, time.Now()
	if rekey {
		q.rekey()
	}
	return nil
}

type getQueueURLRequest struct{ QueueName, QueueOwnerAWSAccountId string }

func (c call) getQueueURL(in getQueueURLRequest) (queueURLResponse, error) {
	if in.QueueName == "" {
		return queueURLResponse{}, missing("QueueName")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	q, ok := c.queues[queueKey{cmp.Or(in.QueueOwnerAWSAccountId, c.caller.Account), c.caller.Region, in.QueueName}]
	if !ok {
		return queueURLResponse{}, noQueue()
	}
	return queueURLResponse{q.URL()}, nil
}

func (c call) purgeQueue(in queueRequest) (none, error) {
	q, err := c.byURL(in.QueueUrl)
	if err != nil {
		return none{}, err
	}
	return none{}, q.Purge()
}
