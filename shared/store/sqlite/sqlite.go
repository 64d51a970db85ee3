// Package sqlite keeps tasks in one SQLite file, which all processes of one machine share. It needs no installation:
// the engine is pure Go. The schema is that of package migrate/schema.
//
// The file is in WAL mode: readers and the one writer do not wait for each other. A step is one statement, or one
// transaction that takes the write lock at its beginning (BEGIN IMMEDIATE). SQLite itself waits for the lock
// (busy_timeout); if it fails instead, this package repeats the step. Times are in microseconds, by the machine's
// clock, which all processes share. A statement reads the clock while it holds the lock.
//
// Durability is synchronous=NORMAL: a commit is passed to the operating system and does not wait for the disk. An
// answered change survives the death of any process, and of all of them at once. A crash of the machine may lose the
// last commits, never their order and never the file's consistency. The queues of the local stack have the same
// durability. See https://www.sqlite.org/pragma.html#pragma_synchronous.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// busyTimeout is how long a statement waits for the lock of another process. A step holds it for less than a
	// millisecond; a checkpoint on a slow disk takes longer.
	busyTimeout = 5 * time.Second
	// patience is how long a step is repeated if SQLite fails without waiting; see busy.
	patience = 5 * time.Second
	// pause is the time between such repetitions.
	pause = 5 * time.Millisecond
)

// Store is a task.Store in a SQLite file.
type Store struct {
	db *sql.DB
	// prepared maps a statement's text to its *sql.Stmt.
	prepared sync.Map
}

var _ task.Store = (*Store)(nil)

// Open opens a file that migrations have created. If the file is missing or cannot be opened now, Open still succeeds:
// the methods of the store return task.ErrUnavailable until it can. Open fails if the file is not a SQLite database.
func Open(ctx context.Context, path string) (*Store, error) {
	file, err := newConnector(path)
	if err != nil {
		return nil, err
	}
	s := &Store{db: sql.OpenDB(file)}
	// A function has one invocation at a time. A second connection would only compete with the first for the lock.
	s.db.SetMaxOpenConns(1)
	err = s.run(ctx, func() error { return s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(new(int)) })
	if err != nil && (ctx.Err() != nil || !errors.Is(err, task.ErrUnavailable)) {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), s.db.Close())
	}
	return s, nil
}

// Close closes the file. It waits for running statements.
func (s *Store) Close() {
	_ = s.db.Close() // nothing is lost: each step has committed
}

// statement prepares a statement once; concurrent callers may each prepare it.
func (s *Store) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if known, ok := s.prepared.Load(text); ok {
		return known.(*sql.Stmt), nil
	}
	st, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if known, ok := s.prepared.LoadOrStore(text, st); ok {
		return known.(*sql.Stmt), st.Close()
	}
	return st, nil
}

// run repeats a step while other processes are in its way. If it cannot succeed, it returns task.ErrUnavailable.
func (s *Store) run(ctx context.Context, step func() error) error {
	for last := time.Now().Add(patience); ; {
		err := step()
		if !busy(err) || time.Now().After(last) {
			return unavailable(err)
		}
		select {
		case <-ctx.Done():
			return unavailable(err)
		case <-time.After(pause):
		}
	}
}

// exec runs a statement and returns how many rows it wrote.
func (s *Store) exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = s.run(ctx, func() error {
		st, err := s.statement(ctx, text)
		if err != nil {
			return err
		}
		result, err := st.ExecContext(ctx, args...)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return n, err
}

// query runs a statement and returns its rows.
func query[T any](ctx context.Context, s *Store, scan func(row) (T, error), text string, args ...any) (list []T, err error) {
	err = s.run(ctx, func() error {
		st, err := s.statement(ctx, text)
		if err == nil {
			list, err = collect(ctx, st, scan, args...)
		}
		return err
	})
	return list, err
}

// one is query for a statement that returns at most one row; without one it returns sql.ErrNoRows.
func one[T any](ctx context.Context, s *Store, scan func(row) (T, error), text string, args ...any) (T, error) {
	list, err := query(ctx, s, scan, text, args...)
	if err == nil && len(list) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return *new(T), err
	}
	return list[0], nil
}

// row is the input of a scan function.
type row interface{ Scan(...any) error }

// collect reads all rows: a writing statement commits only after its last row is read.
func collect[T any](ctx context.Context, st *sql.Stmt, scan func(row) (T, error), args ...any) (list []T, err error) {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
