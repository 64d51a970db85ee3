package schema_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// functions is a configuration as the template gives it to the migration.
func functions(address string) *config.Config {
	return &config.Config{
		App:     config.App{APIConcurrency: 40, Semaphore: 16, JobsPerInvocation: 1},
		Storage: config.Storage{Type: "postgres", DatabaseURL: config.Secret(address), Roles: "password"},
	}
}

func migrate(t *testing.T, cfg *config.Config) error {
	t.Helper()
	target, err := schema.ForFunctions(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Up(t.Context())
	return err
}

// as connects as a function's role, or fails the test.
func as(t *testing.T, address, function string) *pgx.Conn {
	t.Helper()
	cfg, err := pgconf.Parse(t.Context(), config.Storage{DatabaseURL: config.Secret(address), Role: function})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.BeforeConnect(t.Context(), cfg.ConnConfig); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), cfg.ConnConfig)
	if err != nil {
		t.Fatalf("log in as the role of %s: %v", function, err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestRoles logs in as each function on a server that requires passwords. Each role can do what its function does, and
// nothing else.
func TestRoles(t *testing.T) {
	t.Parallel()
	address := testserver.PrivatePostgres(t)
	for range 2 { // every deployment makes the roles anew
		if err := migrate(t, functions(address)); err != nil {
			t.Fatal(err)
		}
	}
	for function, may := range map[string]map[string]bool{
		"api": {
			`INSERT INTO tasks (id) VALUES (gen_random_uuid())`: true, `SELECT count(*) FROM idempotency_keys`: true,
			`DELETE FROM tasks`: false, `SELECT count(*) FROM schema_migrations`: false, `CREATE TABLE t (n int)`: false,
		},
		"worker": {
			`UPDATE tasks SET error = NULL WHERE false`:         true,
			`INSERT INTO tasks (id) VALUES (gen_random_uuid())`: false, `DELETE FROM tasks`: false, `SELECT count(*) FROM idempotency_keys`: false,
		},
		"sweeper": {
			`DELETE FROM tasks WHERE status = 'completed'`: true, `DELETE FROM idempotency_keys`: true,
			`INSERT INTO tasks (id) VALUES (gen_random_uuid())`: false, `DROP TABLE tasks`: false,
		},
	} {
		conn := as(t, address, function)
		var superuser, idle string
		err := conn.QueryRow(t.Context(), `SELECT current_setting('is_superuser'), current_setting('idle_session_timeout')`).Scan(&superuser, &idle)
		if err != nil || superuser != "off" || idle != "5min" {
			t.Errorf("%s: superuser %s, idle sessions end after %s, %v; want off, 5min", function, superuser, idle, err)
		}
		for text, want := range may {
			_, err := conn.Exec(t.Context(), text)
			var refused *pgconn.PgError
			if want && err != nil || !want && (!errors.As(err, &refused) || refused.Code != "42501") {
				t.Errorf("%s: %s: %v; want it allowed: %t", function, text, err, want)
			}
		}
	}
}

// TestLifeByRoles takes a task through its life, each step by the role of its function.
func TestLifeByRoles(t *testing.T) {
	t.Parallel()
	address, ctx := testserver.PrivatePostgres(t), t.Context()
	if err := migrate(t, functions(address)); err != nil {
		t.Fatal(err)
	}
	store := func(function string) *postgres.Store {
		s, err := postgres.Open(ctx, config.Storage{DatabaseURL: config.Secret(address), Role: function})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	api, worker, sweeper := store("api"), store("worker"), store("sweeper")
	id := uuid.Must(uuid.NewV7())
	if _, _, err := api.Create(ctx, id, task.Submission{}, task.Key{Name: "k"}); err != nil {
		t.Fatal(err)
	}
	claimed, err := worker.Claim(ctx, task.ClaimRules{Lease: time.Minute})
	if err == nil {
		err = errors.Join(worker.Heartbeat(ctx, claimed.ID, claimed.Attempt, time.Minute, nil),
			worker.Complete(ctx, claimed.ID, claimed.Attempt, []byte(`"done"`), nil))
	}
	_, woken := sweeper.Wake(ctx, 10)
	_, announced := sweeper.Announce(ctx, 10)
	_, expired := sweeper.Expire(ctx, 10)
	_, rescued := sweeper.Rescue(ctx, 10, task.RetryPolicy{MaxAttempts: 3})
	_, purged := sweeper.Purge(ctx, 10, task.Retention{})
	_, loaded := worker.Load(ctx, 10)
	if err := errors.Join(err, woken, announced, expired, rescued, purged, loaded); err != nil {
		t.Error(err)
	}
	if _, err := api.List(ctx, task.Page{}); err != nil {
		t.Error(err)
	}
}

// TestRightsOfAllTables checks that every table of a migration has rights, or only the migration uses it.
func TestRightsOfAllTables(t *testing.T) {
	t.Parallel()
	address := testserver.PrivatePostgres(t)
	if err := migrate(t, functions(address)); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var none []string
	err = conn.QueryRow(t.Context(), `
		SELECT coalesce(array_agg(tablename::text), '{}') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
		AND NOT EXISTS (SELECT FROM information_schema.role_table_grants g WHERE g.table_name = tablename AND g.grantee LIKE '%\_sweeper')`).Scan(&none)
	if err != nil || len(none) > 0 {
		t.Errorf("tables without rights: %v, %v; roles.go lists what each function does with a table", none, err)
	}
}

// TestAccountThatMayNotMakeRoles checks that the migration warns and goes on, and that the functions log in as the
// account.
func TestAccountThatMayNotMakeRoles(t *testing.T) { // not parallel: it reads the log
	server := testserver.PrivatePostgres(t)
	statement(t, server, `CREATE ROLE plain LOGIN PASSWORD 'plain'`)
	statement(t, server, `GRANT CREATE ON SCHEMA public TO plain`)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("plain", "plain")
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	if err := migrate(t, functions(u.String())); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), config.Storage{DatabaseURL: config.Secret(u.String()), Role: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Create(t.Context(), uuid.Must(uuid.NewV7()), task.Submission{}, task.Key{}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"may not create roles: grant it CREATEROLE, or set storage.roles to none", "the server refuses the role"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log does not say %q: %s", want, &out)
		}
	}
	if strings.Contains(out.String(), "plain:plain") {
		t.Errorf("the log shows a password: %s", &out)
	}
}

// TestFunctionsThatNeedTooMuch checks that the migration refuses them before it changes anything, and names the
// parameters.
func TestFunctionsThatNeedTooMuch(t *testing.T) {
	t.Parallel()
	address := testserver.EmptyPostgres(t)
	cfg := functions(address)
	cfg.App.APIConcurrency, cfg.App.Semaphore, cfg.App.WorkerConcurrency, cfg.App.JobsPerInvocation = 1000, 90, 30, 3
	err := migrate(t, cfg)
	if err == nil {
		t.Fatal("Up succeeded")
	}
	for _, want := range []string{
		"the functions need 1123 connections", "ApiConcurrency 1000, 30 worker environments (WorkerConcurrency, else Semaphore) with 4 each, and 3 of the sweeper",
		"raise max_connections",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	if version, err := schema.Version(t.Context(), address); err != nil || version != 0 {
		t.Errorf("the schema has version %d, %v; want 0", version, err)
	}
}

// statement runs a statement as the account of a URL.
func statement(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
