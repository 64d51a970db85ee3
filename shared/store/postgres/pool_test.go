package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestStatementsOfSeveralJobs checks that jobs of one process do not wait for each other's statements if each has a
// connection, and that a process keeps to its maximum of connections.
func TestStatementsOfSeveralJobs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ connections, want int }{
		"default": {0, 1},
		"five":    {5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testserver.Postgres(t)
			s := openWith(t, config.Storage{DatabaseURL: config.Secret(url + "&application_name=jobs"), MaxConnections: c.connections})
			blocker, ctx := connect(t, url), t.Context()
			lock, err := blocker.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lock.Exec(ctx, `LOCK TABLE tasks`); err != nil {
				t.Fatal(err)
			}
			var jobs sync.WaitGroup
			for range c.want + 1 {
				jobs.Go(func() { _ = s.Heartbeat(ctx, storetest.NewID(t), 1, time.Hour, nil) })
			}
			waiting(t, connect(t, url), c.want)
			if got := int(s.pool.Stat().TotalConns()); got != c.want {
				t.Errorf("%d connections, want %d", got, c.want)
			}
			if err := lock.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
			jobs.Wait()
		})
	}
}

// waiting waits until the given number of the store's statements wait for a lock.
func waiting(t *testing.T, server *pgx.Conn, want int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var count int
		err := server.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'jobs' AND wait_event_type = 'Lock'`).Scan(&count)
		if err != nil {
			t.Fatal(err)
		}
		if count == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d statements run at once, want %d", count, want)
		}
	}
}
