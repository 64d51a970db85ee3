package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/migrate/schematest/pgbouncer"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestMigrateBehindAPooler migrates concurrently and repeatedly. A lock that stayed behind in a session of the pooler
// would block the next migration for ever.
func TestMigrateBehindAPooler(t *testing.T) {
	t.Parallel()
	direct := testserver.EmptyPostgres(t)
	pooled := pgbouncer.Start(t, direct, nil, map[string]string{"default_pool_size": "20"})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if version, err := schema.Up(t.Context(), pooled); err != nil || version != schema.Latest() {
				t.Errorf("Up = %d, %v", version, err)
			}
		})
	}
	all.Wait()
	if version, err := schema.Postgres(pooled).Down(t.Context(), 0); err != nil || version != 0 {
		t.Errorf("Down = %d, %v", version, err)
	}
	if version, err := schema.Up(t.Context(), pooled); err != nil || version != schema.Latest() {
		t.Errorf("Up = %d, %v", version, err)
	}
	// No lock remains on the server either.
	if version, err := schema.Up(t.Context(), direct); err != nil || version != schema.Latest() {
		t.Errorf("Up past the pooler = %d, %v", version, err)
	}
}

// pooled is a database behind a pooler.
type pooled struct{ direct, through, pooler string }

func (d pooled) Open(t testing.TB) task.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), config.Storage{DatabaseURL: config.Secret(d.through), Pooler: d.pooler, MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (d pooled) Age(t testing.TB, by time.Duration) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, text := range []string{
		`UPDATE tasks SET created_at = created_at - $1::interval, started_at = started_at - $1::interval, ended_at = ended_at - $1::interval,
			lease_expires_at = lease_expires_at - $1::interval, run_at = run_at - $1::interval, expires_at = expires_at - $1::interval`,
		`UPDATE lanes SET served_at = served_at - $1::interval`,
		`UPDATE idempotency_keys SET created_at = created_at - $1::interval`,
	} {
		if _, err := conn.Exec(t.Context(), text, by); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoreBehindAPooler runs the store's conformance suite through a pooler.
func TestStoreBehindAPooler(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		direct := testserver.Postgres(t)
		return pooled{direct, pgbouncer.Start(t, direct, nil, nil), "auto"}
	})
}

// TestPoolerKey checks two stores that share a session: the second meets a statement of the first, unless statements
// have no names.
func TestPoolerKey(t *testing.T) {
	t.Parallel()
	for pooler, works := range map[string]bool{"auto": true, "transaction": true, "none": false} {
		t.Run(pooler, func(t *testing.T) {
			t.Parallel()
			direct := testserver.Postgres(t)
			d := pooled{direct, pgbouncer.Start(t, direct, nil, map[string]string{"default_pool_size": "1"}), pooler}
			if _, _, err := d.Open(t).Create(t.Context(), uuid.New(), task.Submission{}, task.Key{}); err != nil {
				t.Fatal(err)
			}
			_, _, err := d.Open(t).Create(t.Context(), uuid.New(), task.Submission{}, task.Key{})
			var refused *pgconn.PgError
			if works && err != nil || !works && (!errors.As(err, &refused) || refused.Code != "42P05") {
				t.Errorf("Create = %v; want it to work: %t", err, works)
			}
		})
	}
}

// BenchmarkPooler measures a store's statements for each task: without a pooler, without one but in pooler mode, and
// behind a PgBouncer.
func BenchmarkPooler(b *testing.B) {
	for _, c := range []struct {
		name, pooler string
		behind       bool
	}{{"none", "none", false}, {"unnamed", "transaction", false}, {"pgbouncer", "transaction", true}} {
		b.Run(c.name, func(b *testing.B) {
			d := pooled{direct: testserver.Postgres(b), pooler: c.pooler}
			d.through = d.direct
			if c.behind {
				d.through = pgbouncer.Start(b, d.direct, nil, nil)
			}
			s := d.Open(b)
			for b.Loop() {
				id := uuid.New()
				_, _, err := s.Create(b.Context(), id, task.Submission{}, task.Key{})
				if err != nil {
					b.Fatal(err)
				}
				t, err := s.Claim(b.Context(), task.ClaimRules{Lease: time.Minute})
				if err == nil {
					err = s.Complete(b.Context(), t.ID, t.Attempt, json.RawMessage(`"io work result = 0"`), nil)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
