package sqs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/awsid"
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
		if err := r.apply(messages); err != nil {
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
	default:
		return fmt.Errorf("operation %q is not known", r.Op)
	}
	return nil
}
