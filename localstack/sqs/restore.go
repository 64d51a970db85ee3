package sqs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// open reads the queue's journal, or begins one. A torn last line, which a death during a write leaves, is cut off;
// any other damage is an error that names file and line.
func (q *Queue) open(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	if err := file.Chmod(0o600); err != nil { // an earlier version let other users read it
		_ = file.Close()
		return fmt.Errorf("close journal to other users: %w", err)
	}
	q.journal = &journal{file: file, path: path}
	if err := q.restore(); err != nil {
		_ = file.Close()
		return err
	}
	q.advance(time.Now())
	q.compact()
	return nil
}

// restore replays the journal. Messages in flight become visible, in the order in which they were sent.
func (q *Queue) restore() error {
	j := q.journal
	reader := bufio.NewReaderSize(j.file, 1<<16)
	messages := map[string]*message{}
	var order []*message
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("journal %s, line %d: %w; repair or delete the file", j.path, j.records+1, err)
		}
		if r.Op == "send" && r.Message != nil {
			order = append(order, r.Message)
		}
		err = r.apply(messages)
		if err == nil {
			err = q.restoreState(r)
		}
		if err != nil {
			return fmt.Errorf("journal %s, line %d: %w; repair or delete the file", j.path, j.records+1, err)
		}
		j.size += int64(len(line))
		j.records++
	}
	now := time.Now()
	for _, m := range order {
		if messages[m.ID] == m {
			q.insert(m, now)
		}
	}
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("cut journal: %w", err)
	}
	return nil
}

func (r record) apply(messages map[string]*message) error {
	switch r.Op {
	case "send":
		if r.Message == nil || uuid.Validate(r.Message.ID) != nil {
			return errors.New("a send has no message with an id")
		}
		if !awsid.ValidTrace(r.Message.Trace) { // as a journal from before they were checked may have
			r.Message.Trace = ""
		}
		messages[r.Message.ID] = r.Message
	case "receive":
		if m, ok := messages[r.ID]; ok { // an expired one is not in a compacted journal
			m.Receives, m.First = r.Receives, r.First
		}
	case "delete":
		delete(messages, r.ID)
	case "dedup":
		if r.Message == nil {
			return errors.New("a deduplication id has no message")
		}
	case "queue":
		if r.Queue == nil {
			return errors.New("a queue record has no queue")
		}
	default:
		return fmt.Errorf("operation %q is not known", r.Op)
	}
	return nil
}

// restoreState replays what a journal has beside messages. Attributes of a queue that the template declares are the
// template's.
func (q *Queue) restoreState(r record) error {
	switch {
	case r.Op == "queue" && !q.declared:
		if (queueKey{r.Queue.Account, r.Queue.Region, r.Queue.Name}) != q.key {
			return fmt.Errorf("it is of the queue %s in %s of %s", r.Queue.Name, r.Queue.Region, r.Queue.Account)
		}
		config, err := r.Queue.settings()
		if err != nil {
			return err
		}
		q.config, q.created, q.modified = config, time.UnixMilli(r.Queue.Created), time.UnixMilli(r.Queue.Modified)
		q.rekey()
	case r.Message != nil && r.Message.Dedup != "" && r.Message.Source == "":
		q.know(r.Message)
		q.duplicate(r.Message, time.Now()) // forgets old ones
	}
	return nil
}

// settings are the settings of a journal.
func (r queueRecord) settings() (settings, error) {
	c := newSettings(spec.Queue{Name: r.Name})
	c.fifo = r.Attributes["FifoQueue"] == "true"
	if err := checkName(r.Name, c.fifo); err != nil {
		return c, err
	}
	attributes := maps.Clone(r.Attributes)
	if attributes["KmsMasterKeyId"] != "" {
		delete(attributes, "SqsManagedSseEnabled") // false
	}
	if err := c.apply(attributes); err != nil {
		return c, err
	}
	return c, c.tag(r.Tags)
}

// path is the journal of a queue. A name has no @.
func (s *Service) path(k queueKey) string {
	if k == home(k.name) {
		return filepath.Join(s.options.Dir, k.name+".jsonl")
	}
	return filepath.Join(s.options.Dir, k.name+"@"+k.account+"@"+k.region+".jsonl")
}

// reopen opens the queues that CreateQueue made before: a journal of one begins with the queue.
func (s *Service) reopen() error {
	paths, err := filepath.Glob(filepath.Join(s.options.Dir, "*.jsonl"))
	if err != nil {
		return fmt.Errorf("find queues: %w", err)
	}
	for _, path := range paths {
		r, err := firstQueue(path)
		if err != nil {
			return fmt.Errorf("open queue: %w", err)
		}
		if r == nil {
			continue
		}
		key := queueKey{r.Account, r.Region, r.Name}
		config, err := r.settings()
		if err == nil && s.path(key) != path {
			err = fmt.Errorf("its queue belongs into %s", filepath.Base(s.path(key)))
		}
		if err != nil {
			return fmt.Errorf("journal %s, line 1: %w; repair or delete the file", path, err)
		}
		q := newQueue(s, key, config)
		if err := q.open(path); err != nil {
			return fmt.Errorf("open queue %s: %w", r.Name, err)
		}
		s.queues[key] = q
	}
	return nil
}

// firstQueue is the queue with which a journal begins, or nil.
func firstQueue(path string) (*queueRecord, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	line, err := bufio.NewReader(file).ReadBytes('\n')
	var r record
	if err != nil || json.Unmarshal(line, &r) != nil || r.Op != "queue" {
		return nil, nil // of a queue of a template, which says what is wrong with it
	}
	return r.Queue, nil
}
