package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
)

// TestRefusals lists every code with which SQLite refuses for now, with its reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	want := map[int]refusal{
		sqlite3.SQLITE_BUSY:     {sqlite3.SQLITE_BUSY, "another process holds the lock, recovers the WAL or has overtaken the snapshot", true},
		sqlite3.SQLITE_PROTOCOL: {sqlite3.SQLITE_PROTOCOL, "processes raced for the locks of the WAL", true},
		sqlite3.SQLITE_CANTOPEN: {sqlite3.SQLITE_CANTOPEN, "the file, or its folder, is missing", false},
		sqlite3.SQLITE_PERM:     {sqlite3.SQLITE_PERM, "the file's permissions do not allow it", false},
		sqlite3.SQLITE_READONLY: {sqlite3.SQLITE_READONLY, "the file may not be written", false},
		sqlite3.SQLITE_FULL:     {sqlite3.SQLITE_FULL, "the disk is full", false},
		sqlite3.SQLITE_IOERR:    {sqlite3.SQLITE_IOERR, "the disk returned an error", false},
		sqlite3.SQLITE_NOMEM:    {sqlite3.SQLITE_NOMEM, "the process is out of memory", false},
	}
	for _, r := range refusals {
		if r != want[r.code] {
			t.Errorf("%+v, want %+v", r, want[r.code])
		}
	}
	if len(refusals) != len(want) {
		t.Errorf("%d refusals, want %d", len(refusals), len(want))
	}
}

// TestFullDisk checks that a file that may not grow refuses tasks and endings for now, and accepts them as soon as it
// may.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s, ctx := open(t, fresh(t)), t.Context()
	running := storetest.Create(t, s)
	attempt, err := storetest.Claim(t, s).Attempt, error(nil)
	allow := func(pages int) {
		t.Helper()
		if _, err := s.db.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	allow(1) // no more than it has
	for err == nil {
		_, _, err = s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{})
	}
	var full *sqlite.Error
	if !errors.Is(err, task.ErrUnavailable) || !errors.As(err, &full) || full.Code() != sqlite3.SQLITE_FULL {
		t.Errorf("Create on a full disk = %v; want ErrUnavailable because of SQLITE_FULL", err)
	}
	long := []byte(`"` + strings.Repeat("x", 64<<10) + `"`)
	if err := s.Complete(ctx, running, attempt, long, nil); !errors.Is(err, task.ErrUnavailable) {
		t.Errorf("Complete on a full disk = %v; want ErrUnavailable", err)
	}
	allow(1 << 30)
	if err := s.Complete(ctx, running, attempt, long, nil); err != nil {
		t.Errorf("Complete with space: %v", err)
	}
	storetest.Create(t, s)
}
