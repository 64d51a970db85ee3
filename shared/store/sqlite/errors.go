package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eragon-mdi/ksu/shared/task"
)

// code is SQLite's primary result code of an error, 0 for another error. See https://www.sqlite.org/rescode.html.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// busy says whether a step was not taken because of another process, and would be if it came again. Where SQLite knows
// that waiting helps it has waited for busy_timeout before. It has not where a recovery of the WAL, a snapshot that was
// overtaken (SQLITE_BUSY_SNAPSHOT) or the protocol of its locks is in the way.
func busy(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_BUSY || c == sqlite3.SQLITE_PROTOCOL
}

// unavailable makes an error that comes from an unreachable file wrap task.ErrUnavailable and leaves others alone. A
// time-out counts; a caller that gave up does not.
func unavailable(err error) error {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL, // held by others for too long
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, // missing, or not ours
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL: // the disk
		return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
	}
	return err
}
