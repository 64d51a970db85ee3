package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// compactAfter is how many records a journal has at least before it is compacted; then it is when fewer than a quarter
// of its records are messages that still exist.
const compactAfter = 20_000

// compact rewrites a journal that is mostly garbage. When that fails the journal stays as it is, which is right if
// large, and is compacted when it has doubled.
func (q *Queue) compact() {
	j := q.journal
	if j.file == nil || j.records < max(compactAfter, j.wait) || j.records < 4*len(q.byID) {
		return
	}
	if len(q.byID) == 0 {
		if q.forget() != nil {
			j.wait = 2 * j.records
		}
		return
	}
	if q.rewriteAll() != nil {
		j.wait = 2 * j.records
	}
}

// forget makes a journal without messages. The journal of a queue that no template declares keeps the queue.
func (q *Queue) forget() error {
	if q.declared {
		return q.journal.clear()
	}
	return q.replace(nil)
}

// rewriteAll makes a journal of the queue and its messages.
func (q *Queue) rewriteAll() error {
	return q.replace(slices.SortedFunc(maps.Values(q.byID), func(a, b *message) int { return cmp.Compare(a.order, b.order) }))
}

// replace replaces the journal by a new file with the queue and messages. After an error it is as it was.
func (q *Queue) replace(messages []*message) error {
	if q.journal.file == nil {
		return nil
	}
	fresh, err := q.rewrite(q.journal.path+".new", messages)
	if err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	_ = q.journal.file.Close() // the new file has all of it
	fresh.path = q.journal.path
	q.journal = fresh
	return nil
}

// lines are the records of the queue, of its deduplication ids and of messages.
func (q *Queue) lines(messages []*message) (lines []byte, records int, err error) {
	var all []record
	if !q.declared {
		all = append(all, q.queueRecord(q.config))
	}
	for _, m := range q.fifo.recent {
		all = append(all, record{Op: "dedup", Message: m})
	}
	for _, r := range all {
		if lines, err = appendRecord(lines, r); err != nil {
			return nil, 0, err
		}
	}
	for _, m := range messages {
		if lines, err = appendSend(lines, m); err != nil {
			return nil, 0, err
		}
	}
	return lines, len(all) + len(messages), nil
}

// rewrite writes a temporary file and, when that is on the disk, renames it to the journal.
func (q *Queue) rewrite(path string, messages []*message) (fresh *journal, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(path)
		}
	}()
	fresh = &journal{file: file, path: path}
	lines, records, err := q.lines(messages)
	if err != nil {
		return nil, err
	}
	if err = fresh.write(lines, records); err != nil {
		return nil, err
	}
	if err = file.Sync(); err != nil {
		return nil, err
	}
	if err = os.Rename(path, q.journal.path); err != nil {
		return nil, err
	}
	_ = syncFolder(filepath.Dir(path)) // it is the journal now, even if that would not outlive the machine
	return fresh, nil
}

// syncFolder makes a rename last.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
