package sqs

import (
	"cmp"
	"errors"
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
		if j.clear() != nil {
			j.wait = 2 * j.records
		}
		return
	}
	fresh, err := q.rewrite(j.path + ".new")
	if err != nil {
		j.wait = 2 * j.records
		return
	}
	_ = j.file.Close() // what it has is in the fresh one
	fresh.path = j.path
	q.journal = fresh
}

// rewrite writes what the queue has to a temporary file and, when that is on the disk, renames it to the journal.
func (q *Queue) rewrite(path string) (fresh *journal, err error) {
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
	var lines []byte
	messages := slices.SortedFunc(maps.Values(q.byID), func(a, b *message) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.ID, b.ID))
	})
	for _, m := range messages {
		if lines, err = appendSend(lines, m); err != nil {
			return nil, err
		}
	}
	if err = fresh.write(lines, len(messages)); err != nil {
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
