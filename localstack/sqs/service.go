package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Options say where a Service is and keeps its queues.
type Options struct {
	// Endpoint begins queue URLs, without a slash at its end; default http://127.0.0.1:4566.
	Endpoint string
	// Dir is the folder of the journals, created when missing; the caller sees to it that nobody else has it open. ""
	// keeps messages in memory only.
	Dir string
}

// Service is all queues of one account and region. It is safe for concurrent use.
type Service struct {
	options Options

	// mu guards everything below and the queues: operations take microseconds, and a redrive is two queues' business.
	mu     sync.Mutex
	queues map[string]*Queue
	moves  []moveTask
	closed bool
}

// New opens a service without queues. The error is that the folder cannot be created.
func New(o Options) (*Service, error) {
	o.Endpoint = strings.TrimSuffix(cmp.Or(o.Endpoint, "http://127.0.0.1:4566"), "/")
	s := &Service{options: o, queues: map[string]*Queue{}}
	if o.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder of queues: %w", err)
	}
	return s, nil
}

// Create adds a queue with the messages that its journal has. Creating a queue twice is an error, as is a value out of
// SQS's range.
func (s *Service) Create(c spec.Queue) error {
	c = withDefaults(c)
	if err := check(c); err != nil {
		return fmt.Errorf("create queue %s: %w", c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("create queue %s: %w", c.Name, errClosed)
	}
	if _, exists := s.queues[c.Name]; exists {
		return fmt.Errorf("create queue %s: there is one already", c.Name)
	}
	q := newQueue(s, c)
	if s.options.Dir != "" {
		if err := q.open(filepath.Join(s.options.Dir, c.Name+".jsonl")); err != nil {
			return fmt.Errorf("create queue %s: %w", c.Name, err)
		}
	}
	s.queues[c.Name] = q
	return nil
}

// Queue returns the queue with a name.
func (s *Service) Queue(name string) (*Queue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[name]
	return q, ok
}

// Close ends long polls without messages and closes the journals. Operations afterwards fail.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, q := range s.queues {
		errs = append(errs, q.close())
	}
	return errors.Join(errs...)
}

// byARN finds a queue of this service; mu is held.
func (s *Service) byARN(arn string) (*Queue, bool) {
	name, ok := strings.CutPrefix(arn, awsid.ARN("sqs", ""))
	if !ok {
		return nil, false
	}
	q, ok := s.queues[name]
	return q, ok
}

func (s *Service) url(name string) string { return awsid.QueueURL(s.options.Endpoint, name) }

// sorted are the queues by name; mu is held.
func (s *Service) sorted() []*Queue {
	queues := make([]*Queue, 0, len(s.queues))
	for _, q := range s.queues {
		queues = append(queues, q)
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return cmp.Compare(a.config.Name, b.config.Name) })
	return queues
}
