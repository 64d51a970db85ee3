package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database { return address(testserver.Postgres(t)) })
}

// address is a URL of a database.
type address string

func (d address) Open(t testing.TB) task.Store { return open(t, string(d)) }

func (d address) Age(t testing.TB, by time.Duration) {
	t.Helper()
	exec(t, string(d), `
		UPDATE tasks SET created_at = created_at - $1::interval, started_at = started_at - $1::interval,
		    ended_at = ended_at - $1::interval, lease_expires_at = lease_expires_at - $1::interval,
		    run_at = run_at - $1::interval, expires_at = expires_at - $1::interval`, by)
	exec(t, string(d), `UPDATE lanes SET served_at = served_at - $1::interval`, by)
	exec(t, string(d), `UPDATE idempotency_keys SET created_at = created_at - $1::interval`, by)
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	return openWith(t, config.Storage{DatabaseURL: config.Secret(url)})
}

func openWith(t testing.TB, cfg config.Storage) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the test may have cut it
	return conn
}

func exec(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	url := testserver.Postgres(t)
	storetest.Backlog(t, address(url), func(t testing.TB, n int, key string) { backlog(t, url, n, "'"+key+"'") })
}

// backlog adds n waiting tasks, whose key is an expression of n. It opens their lanes at once instead of per task.
func backlog(t testing.TB, url string, n int, key string) {
	t.Helper()
	exec(t, url, `ALTER TABLE tasks DISABLE TRIGGER tasks_enter_new`)
	exec(t, url, `INSERT INTO tasks (id, fairness_key) SELECT overlay('01800000-0000-7000-9000-000000000000' placing lpad(to_hex(n), 12, '0') from 25)::uuid, `+
		key+` FROM generate_series(1, $1::int) n`, n)
	exec(t, url, `ALTER TABLE tasks ENABLE TRIGGER tasks_enter_new`)
	exec(t, url, `INSERT INTO lanes (fairness_key, type) SELECT DISTINCT fairness_key, type FROM tasks WHERE status = 'pending' ON CONFLICT DO NOTHING`)
	exec(t, url, `ANALYZE tasks, lanes`)
}
