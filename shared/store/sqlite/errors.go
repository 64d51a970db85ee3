package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eragon-mdi/ksu/shared/task"
)

// refusal is a result code with which SQLite refuses for now, whatever the statement.
type refusal struct {
	code   int
	reason string
	// busy means that the step is repeated at once, because another process was in its way. If waiting helps, SQLite
	// has already waited for busy_timeout.
	busy bool
}

// refusals are all of these codes. Every other code is final: the same statement would fail again.
//
// The codes are the primary ones of https://www.sqlite.org/rescode.html.
var refusals = []refusal{
	{sqlite3.SQLITE_BUSY, "another process holds the lock, recovers the WAL or has overtaken the snapshot", true},
	{sqlite3.SQLITE_PROTOCOL, "processes raced for the locks of the WAL", true},
	{sqlite3.SQLITE_CANTOPEN, "the file, or its folder, is missing", false},
	{sqlite3.SQLITE_PERM, "the file's permissions do not allow it", false},
	{sqlite3.SQLITE_READONLY, "the file may not be written", false},
	{sqlite3.SQLITE_FULL, "the disk is full", false},
	{sqlite3.SQLITE_IOERR, "the disk returned an error", false},
	{sqlite3.SQLITE_NOMEM, "the process is out of memory", false},
}

// refusalOf returns the class of a SQLite error; nil for a final one and for other errors.
func refusalOf(err error) *refusal {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	for i := range refusals {
		if refusals[i].code == e.Code()&0xff {
			return &refusals[i]
		}
	}
	return nil
}

// busy reports whether another process prevented a step.
func busy(err error) bool {
	r := refusalOf(err)
	return r != nil && r.busy
}

// unavailable wraps a transient error in task.ErrUnavailable and returns every other error unchanged. A time-out is
// transient. The error of a caller that gave up is not.
func unavailable(err error) error {
	if refusalOf(err) != nil || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
	}
	return err
}
