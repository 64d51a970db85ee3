package e2e_test

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver
)

// chaosInternal is the file of the internal store. It has no faults of its own: the processes that write it die.
type chaosInternal struct {
	t    *testing.T
	path string
}

// now_us is a function of the store's own connections, which alone fire the triggers.
const keepInternalHistory = `
CREATE TABLE history (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, id BLOB NOT NULL, status TEXT NOT NULL, attempt INTEGER NOT NULL,
    lease INTEGER, due INTEGER NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, ending TEXT
) STRICT;
CREATE TRIGGER keep_history_new AFTER INSERT ON tasks BEGIN
    INSERT INTO history (at, id, status, attempt, lease, due, type, key, ending)
    VALUES (now_us(), NEW.id, NEW.status, NEW.attempt, NEW.lease_expires_at,
        coalesce(NEW.run_at, NEW.created_at), NEW.type, NEW.fairness_key, coalesce(NEW.result, NEW.error));
END;
CREATE TRIGGER keep_history AFTER UPDATE ON tasks BEGIN
    INSERT INTO history (at, id, status, attempt, lease, due, type, key, ending)
    VALUES (now_us(), NEW.id, NEW.status, NEW.attempt, NEW.lease_expires_at,
        coalesce(NEW.run_at, NEW.created_at), NEW.type, NEW.fairness_key, coalesce(NEW.result, NEW.error));
END;`

func newChaosInternal(t *testing.T, folder string) *chaosInternal {
	t.Helper()
	return &chaosInternal{t, filepath.Join(folder, "stack", "ksu.db")}
}

func (*chaosInternal) parameters() string { return "" }
func (*chaosInternal) inject(fault) bool  { return false }

// open opens the file with a mode of SQLite's URIs, ro or rw.
func (s *chaosInternal) open(mode string) *sql.DB {
	s.t.Helper()
	query := url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: s.path, RawQuery: query.Encode()}).String())
	if err != nil {
		s.t.Fatal(err)
	}
	return db
}

func (s *chaosInternal) keepHistory() {
	s.t.Helper()
	db := s.open("rw")
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(s.t.Context(), keepInternalHistory); err != nil {
		s.t.Fatal(err)
	}
}

func (s *chaosInternal) history() map[string][]change {
	s.t.Helper()
	db := s.open("ro")
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(context.WithoutCancel(s.t.Context()), `SELECT at, id, status, attempt, coalesce(lease, 0), due, type, key,
		coalesce(ending, '') FROM history ORDER BY id, seq`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	history := map[string][]change{}
	for rows.Next() {
		var c change
		var id uuid.UUID
		var at, lease, due int64
		if err := rows.Scan(&at, &id, &c.status, &c.attempt, &lease, &due, &c.kind, &c.key, &c.ending); err != nil {
			s.t.Fatal(err)
		}
		c.task, c.at, c.due = id.String(), time.UnixMicro(at), time.UnixMicro(due)
		if lease != 0 {
			c.lease = time.UnixMicro(lease)
		}
		history[c.task] = append(history[c.task], c)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return history
}

func (s *chaosInternal) waiting(ctx context.Context) (n int, err error) {
	db := s.open("ro")
	defer func() { _ = db.Close() }()
	return n, db.QueryRowContext(ctx, unended).Scan(&n)
}
