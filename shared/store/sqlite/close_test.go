package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
)

// TestFileAlone checks that after the last store is closed, the file alone has all data, and so has a copy of it.
func TestFileAlone(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	stores := []*Store{open(t, d), open(t, d)}
	const tasks = 30
	for n := range tasks {
		storetest.Create(t, stores[n%len(stores)])
	}
	if info, err := os.Stat(string(d) + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the tasks are not in the WAL: %v, %v", info, err)
	}
	for _, s := range stores {
		s.Close()
	}
	content, err := os.ReadFile(string(d))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := open(t, database(copied)).List(t.Context(), task.Page{Limit: 2 * tasks})
	if err != nil || len(list) != tasks {
		t.Errorf("the copy has %d tasks, %v; want %d", len(list), err, tasks)
	}
}
