package sqlite

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		child(path, os.Args[1:])
		return
	}
	testserver.Main(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database { return fresh(t) })
}

// database is the path of a file.
type database string

// fresh returns a new file with the newest schema.
func fresh(t testing.TB) database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a folder?mode=ro&#%20", "ksu.db") // a URL would misread it
	testserver.SQLite(t, path)
	return database(path)
}

func (d database) Open(t testing.TB) task.Store { return open(t, d) }

func (d database) Age(t testing.TB, by time.Duration) {
	t.Helper()
	db := connect(t, d)
	for _, text := range []string{
		`UPDATE tasks SET created_at = created_at - ?1, started_at = started_at - ?1, ended_at = ended_at - ?1,
		    lease_expires_at = lease_expires_at - ?1, run_at = run_at - ?1, expires_at = expires_at - ?1`,
		`UPDATE lanes SET served_at = served_at - ?1`,
		`UPDATE idempotency_keys SET created_at = created_at - ?1`,
	} {
		if _, err := db.ExecContext(t.Context(), text, by.Microseconds()); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, d database) *Store {
	t.Helper()
	s, err := Open(t.Context(), string(d))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// connect opens the file without the store.
func connect(t testing.TB, d database) *sql.DB {
	t.Helper()
	name := url.URL{Scheme: "file", Path: string(d), RawQuery: "mode=rw&_txlock=immediate&_busy_timeout=30000"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	storetest.Backlog(t, d, func(t testing.TB, n int, key string) { backlog(t, d, n, "'"+key+"'") })
}

// backlog adds n waiting tasks, whose key is an expression of n.
func backlog(t testing.TB, d database, n int, key string) {
	t.Helper()
	if n == 0 {
		return
	}
	_, err := connect(t, d).ExecContext(t.Context(), `
		WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
		INSERT INTO tasks (id, created_at, fairness_key) SELECT unhex(printf('0180000000007000900000%010x', n)), 1, `+key+` FROM numbers`, n)
	if err != nil {
		t.Fatal(err)
	}
}
