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
	"syscall"
)

// Options say where a Service is and keeps its queues.
type Options struct {
	// Region is part of ARNs; default us-east-1.
	Region string
	// AccountID is part of ARNs and URLs; default 000000000000.
	AccountID string
	// Endpoint begins queue URLs, without a slash at its end; default http://127.0.0.1:4566.
	Endpoint string
	// Dir is the folder of the journals, created when missing; only one Service may have it open. "" keeps messages in
	// memory only.
	Dir string
}

// Service is all queues of one account and region. It is safe for concurrent use.
type Service struct {
	options Options
	lock    *os.File // nil in memory

	// mu guards everything below and the queues: operations take microseconds, and a redrive is two queues' business.
	mu     sync.Mutex
	queues map[string]*Queue
	moves  []moveTask
	closed bool
}

// New opens a service without queues. It fails when another process has the folder open.
func New(o Options) (*Service, error) {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.AccountID = cmp.Or(o.AccountID, "000000000000")
	o.Endpoint = strings.TrimSuffix(cmp.Or(o.Endpoint, "http://127.0.0.1:4566"), "/")
	s := &Service{options: o, queues: map[string]*Queue{}}
	if o.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("create folder of queues: %w", err)
	}
	lock, err := lockFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	s.lock = lock
	return s, nil
}

// lockFolder takes the folder for this process. The kernel releases it, however the process ends.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock folder of queues: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("folder of queues %s is in use by another local stack; stop it or choose another data folder", dir)
		}
		return nil, fmt.Errorf("lock folder of queues %s: %w", dir, err)
	}
	return file, nil
}

// Create adds a queue with the messages that its journal has. Creating a queue twice is an error, as is a value out of
// SQS's range.
func (s *Service) Create(c QueueConfig) error {
	c = c.withDefaults()
	if err := c.check(); err != nil {
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
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// byARN finds a queue of this service; mu is held.
func (s *Service) byARN(arn string) (*Queue, bool) {
	name, ok := strings.CutPrefix(arn, s.arn(""))
	if !ok {
		return nil, false
	}
	q, ok := s.queues[name]
	return q, ok
}

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.options.Region + ":" + s.options.AccountID + ":" + name
}

func (s *Service) url(name string) string {
	return s.options.Endpoint + "/" + s.options.AccountID + "/" + name
}

// sorted are the queues by name; mu is held.
func (s *Service) sorted() []*Queue {
	queues := make([]*Queue, 0, len(s.queues))
	for _, q := range s.queues {
		queues = append(queues, q)
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return cmp.Compare(a.config.Name, b.config.Name) })
	return queues
}
