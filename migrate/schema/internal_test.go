//go:build !nosqlite

package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4/database"
)

// TestInternalIsOneTransaction fails within the second migration: nothing of the first remains, and no other connection
// sees a version in between.
func TestInternalIsOneTransaction(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ksu.db")
	one, other := openTest(t, path), openTest(t, path)
	unchanged := func(when string) {
		t.Helper()
		if version, dirty, err := other.Version(); version != database.NilVersion || dirty || err != nil {
			t.Errorf("%s: version %d, dirty %t, %v; want none", when, version, dirty, err)
		}
	}
	run := func(version int, text string) error {
		err := one.SetVersion(version, true)
		if err == nil {
			err = one.Run(strings.NewReader(text))
		}
		if err == nil {
			err = one.SetVersion(version, false)
		}
		return err
	}
	if err := one.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := run(1, "CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER);"); err != nil {
		t.Fatal(err)
	}
	unchanged("after the first")
	if err := run(2, "CREATE TABLE c (id INTEGER); CREATE TABLE b (id INTEGER);"); err == nil || !strings.Contains(err.Error(), "b already exists") {
		t.Errorf("the second: %v; want the statement's own error", err)
	}
	if err := one.Unlock(); err != nil {
		t.Error(err)
	}
	unchanged("at the end")
	if err := other.exec("CREATE TABLE a (id INTEGER)"); err != nil {
		t.Errorf("something is left of the first: %v", err)
	}
	if err := one.Lock(); err != nil { // the next Up starts afresh
		t.Fatal(err)
	}
	if err := run(1, "CREATE TABLE b (id INTEGER)"); err != nil {
		t.Error(err)
	}
	if err := one.Unlock(); err != nil {
		t.Error(err)
	}
	if version, _, err := other.Version(); version != 1 || err != nil {
		t.Errorf("version %d, %v; want 1", version, err)
	}
}

func openTest(t *testing.T, path string) *file {
	t.Helper()
	db, err := openFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFile(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestInternalIsPrivate checks that other users cannot read the internal store's files.
func TestInternalIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "internal.db")
	openTest(t, path)
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("the mode of %s is %v, want %v", name, got, want)
		}
	}
}
