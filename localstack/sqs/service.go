package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Options say where a Service is and where it keeps its queues.
type Options struct {
	// Endpoint begins queue URLs, without a slash at its end; default http://127.0.0.1:4566.
	Endpoint string
	// Dir is the folder of the journals. New creates it. No other process may use it. "" keeps messages in memory only.
	Dir string
}

// Service is the queues of all accounts and regions. It is safe for concurrent use.
type Service struct {
	options Options

	// mu guards everything below and the queues: operations take microseconds, and a redrive changes two queues.
	mu      sync.Mutex
	queues  map[queueKey]*Queue
	deleted map[queueKey]time.Time
	moves   []*moveTask
	closed  bool
}

// queueKey identifies a queue.
type queueKey struct{ account, region, name string }

// home is the key of a queue of the template.
func home(name string) queueKey { return queueKey{awsid.Account, awsid.Region, name} }

func (k queueKey) arn() string { return "arn:aws:sqs:" + k.region + ":" + k.account + ":" + k.name }

func parseARN(arn string) (queueKey, bool) {
	_, rest, ok := strings.Cut(arn, ":sqs:")
	region, rest, hasAccount := strings.Cut(rest, ":")
	account, name, hasName := strings.Cut(rest, ":")
	return queueKey{account, region, name}, ok && hasAccount && hasName && strings.HasPrefix(arn, "arn:")
}

// New opens a service with the queues that CreateQueue made before. The error is that the folder cannot be created or that
// a journal cannot be read.
func New(o Options) (*Service, error) {
	o.Endpoint = strings.TrimSuffix(cmp.Or(o.Endpoint, "http://127.0.0.1:4566"), "/")
	s := &Service{options: o, queues: map[queueKey]*Queue{}, deleted: map[queueKey]time.Time{}}
	if o.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder of queues: %w", err)
	}
	if err := s.reopen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Create adds a queue of a template, with the messages of its journal. The template takes precedence over attributes that
// a queue of the same name got from CreateQueue. Creating a queue twice is an error, as is a value out of SQS's range.
func (s *Service) Create(c spec.Queue) error {
	config := newSettings(c)
	if err := checkTemplate(config); err != nil {
		return fmt.Errorf("create queue %s: %w", c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("create queue %s: %w", c.Name, errClosed)
	}
	key := home(c.Name)
	if q, exists := s.queues[key]; exists {
		if q.declared {
			return fmt.Errorf("create queue %s: it exists already", c.Name)
		}
		q.config, q.declared = config, true
		return q.rewriteAll()
	}
	q := newQueue(s, key, config)
	q.declared = true
	if s.options.Dir != "" {
		if err := q.open(s.path(key)); err != nil {
			return fmt.Errorf("create queue %s: %w", c.Name, err)
		}
	}
	s.queues[key] = q
	return nil
}

// Queue returns the queue of the template with a name.
func (s *Service) Queue(name string) (*Queue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[home(name)]
	return q, ok
}

// Close ends long polls without messages and closes the journals. Operations fail afterwards.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for _, t := range s.moves {
		t.stop()
	}
	var errs []error
	for _, q := range s.queues {
		errs = append(errs, q.close(errClosed))
	}
	return errors.Join(errs...)
}

// byARN finds a queue; mu is held.
func (s *Service) byARN(arn string) (*Queue, bool) {
	key, ok := parseARN(arn)
	if !ok {
		return nil, false
	}
	q, ok := s.queues[key]
	return q, ok
}

// sorted are the queues that a condition holds for, by name; mu is held.
func (s *Service) sorted(wanted func(*Queue) bool) []*Queue {
	queues := make([]*Queue, 0, len(s.queues))
	for _, q := range s.queues {
		if wanted(q) {
			queues = append(queues, q)
		}
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return cmp.Compare(a.URL(), b.URL()) })
	return queues
}
