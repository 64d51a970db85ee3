package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, want string }{
		"no path":     {"", "STORAGE_PATH is not set"},
		"no database": {text, "not a database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), test.path)
			if s != nil || err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, task.ErrUnavailable) {
				t.Errorf("Open = %v, %v; want %q in the error", s, err, test.want)
			}
		})
	}
}

// TestOpenWithoutFile checks that a store that was opened without its file works once the file exists.
func TestOpenWithoutFile(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	for name, hide := range map[string]struct{ path, away string }{
		"no file":   {string(d), string(d) + ".away"},
		"no folder": {filepath.Dir(string(d)), filepath.Dir(string(d)) + ".away"},
	} {
		if err := os.Rename(hide.path, hide.away); err != nil {
			t.Fatal(err)
		}
		s := open(t, d)
		_, _, err := s.Create(t.Context(), storetest.NewID(t), task.Submission{}, task.Key{})
		if !errors.Is(err, task.ErrUnavailable) || !strings.Contains(err.Error(), "open "+string(d)+", which 'migrate up' creates: unable to open") {
			t.Errorf("%s: Create = %v; want ErrUnavailable, and the file's name", name, err)
		}
		if _, err := os.Stat(string(d)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the store made a file: %v", name, err)
		}
		if err := os.Rename(hide.away, hide.path); err != nil {
			t.Fatal(err)
		}
		storetest.Create(t, s)
	}
}

// lock takes the file's write lock and returns a function that releases it.
func lock(t *testing.T, d database) (unlock func()) {
	t.Helper()
	tx, err := connect(t, d).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			t.Error(err)
		}
	}
}

func TestStepsWaitForTheLock(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	s := open(t, d)
	id := storetest.Create(t, s)
	for name, step := range map[string]func(context.Context) error{
		"statement": func(ctx context.Context) error { _, err := s.Update(ctx, id, task.Change{Priority: 1}); return err },
		"transaction": func(ctx context.Context) error {
			_, _, err := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{Name: "k"})
			return err
		},
	} {
		unlock := lock(t, d)
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Errorf("reading beside a writer: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- step(t.Context()) }()
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		other := open(t, d)
		if _, err := other.Update(short, id, task.Change{Priority: 1}); !errors.Is(err, task.ErrUnavailable) {
			t.Errorf("a caller whose time is up gets %v; want ErrUnavailable", err)
		}
		cancel()
		select {
		case err := <-done:
			t.Errorf("%s: %v while another holds the lock; want it to wait", name, err)
		default:
		}
		unlock()
		if err := <-done; err != nil {
			t.Errorf("%s after the lock was free: %v", name, err)
		}
	}
}

func TestCallersThatGiveUpAreNotUnavailable(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	s := open(t, d)
	id := storetest.Create(t, s)
	defer lock(t, d)()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := s.Update(ctx, id, task.Change{Priority: 1}); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, task.ErrUnavailable) {
		t.Errorf("got %v; want context.Canceled alone", err)
	}
	if _, err := s.Get(t.Context(), id); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestBusyIsRepeated gives a step the error of an overtaken snapshot, for which SQLite does not wait itself.
func TestBusyIsRepeated(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	s := open(t, d)
	id := storetest.Create(t, s)
	reader, err := connect(t, d).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	tries := 0
	err = s.run(t.Context(), func() error {
		if tries++; tries > 2 {
			return nil
		}
		for _, text := range []string{`BEGIN DEFERRED`, `SELECT count(*) FROM tasks`} {
			if _, err := reader.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Update(t.Context(), id, task.Change{Priority: 1}); err != nil { // overtakes it
			t.Fatal(err)
		}
		_, overtaken := reader.ExecContext(t.Context(), `DELETE FROM tasks`)
		if _, err := reader.ExecContext(t.Context(), `ROLLBACK`); err != nil {
			t.Fatal(err)
		}
		if e := new(sqlite.Error); !errors.As(overtaken, &e) || e.Code() != sqlite3.SQLITE_BUSY_SNAPSHOT {
			t.Errorf("the overtaken snapshot gets %v; want SQLITE_BUSY_SNAPSHOT", overtaken)
		}
		return overtaken
	})
	if err != nil || tries != 3 {
		t.Errorf("run = %v after %d tries; want nil after 3", err, tries)
	}
}

// TestSettings checks the durability that the package comment promises.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
}
