package schema_test

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"ksu/migrate/postgres"
	"ksu/migrate/schema"
	"ksu/shared/store/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestUpDownUp(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), postgrestest.Empty(t)
	empty := tables(t, url)

	step(t, "up", schema.Latest())(schema.Up(ctx, url))
	full := tables(t, url)
	step(t, "up again", schema.Latest())(schema.Up(ctx, url))
	step(t, "down 1", schema.Latest()-1)(schema.Down(ctx, url, 1))
	step(t, "down to nothing", 0)(schema.Down(ctx, url, 0))
	if got := tables(t, url); len(empty) != 0 || len(got) != 0 {
		t.Errorf("after down there are %v, before up %v; want none", got, empty)
	}
	step(t, "down from nothing", 0)(schema.Down(ctx, url, 3))
	step(t, "up", schema.Latest())(schema.Up(ctx, url))
	if got := tables(t, url); !reflect.DeepEqual(got, full) {
		t.Errorf("up, down, up made %v; want %v", got, full)
	}
	step(t, "more downs than there are", 0)(schema.Down(ctx, url, int(schema.Latest())+5))
}

// TestRepeatable runs every migration on a database that has it: that is what Up does with one that was cut off.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	names, err := fs.Glob(postgres.Files, "*.up.sql")
	if err != nil || len(names) != int(schema.Latest()) {
		t.Fatalf("migrations %v, %v; want %d without gaps", names, err, schema.Latest())
	}
	for _, name := range names {
		sql, err := fs.ReadFile(postgres.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, url, string(sql))
		if _, err := fs.Stat(postgres.Files, strings.Replace(name, ".up.", ".down.", 1)); err != nil {
			t.Errorf("%s has no down: %v", name, err)
		}
	}
}

func TestUpRepeatsWhatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"before its commit":   "DROP TABLE idempotency_keys; UPDATE schema_migrations SET dirty = true",
		"after its commit":    "UPDATE schema_migrations SET dirty = true",
		"the first one":       "DROP TABLE idempotency_keys, tasks; UPDATE schema_migrations SET dirty = true, version = 1",
		"the last one's down": "UPDATE schema_migrations SET dirty = true, version = 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, url := t.Context(), postgrestest.New(t)
			want := tables(t, url)
			exec(t, url, sql)
			if _, err := schema.Version(ctx, url); !errors.Is(err, schema.ErrDirty) {
				t.Errorf("Version = %v; want ErrDirty", err)
			}
			if _, err := schema.Down(ctx, url, 1); !errors.Is(err, schema.ErrDirty) {
				t.Errorf("Down = %v; want ErrDirty", err)
			}
			step(t, "up", schema.Latest())(schema.Up(ctx, url))
			if got := tables(t, url); !reflect.DeepEqual(got, want) {
				t.Errorf("tables %v; want %v", got, want)
			}
		})
	}
}

func TestUpLeavesANewerSchema(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	exec(t, url, "UPDATE schema_migrations SET version = 999")
	step(t, "up", 999)(schema.Up(t.Context(), url))
}

func TestUpAtOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.Empty(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { step(t, "up", schema.Latest())(schema.Up(t.Context(), url)) })
	}
	all.Wait()
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, test := range map[string]struct {
		ctx       context.Context
		url, want string
	}{
		"no URL":      {t.Context(), "", "DATABASE_URL is not set"},
		"bad URL":     {t.Context(), "postgres://app:secret@:x/", "DATABASE_URL: "},
		"no database": {t.Context(), unknownDatabase(t), "does not exist"},
		"no server":   {stopped, "postgres://app:secret@127.0.0.1:1/app", "connect to Postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schema.Up(test.ctx, test.url)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Up = %v; want %q in it, and no password", err, test.want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := schema.New(dir, "first"); err == nil {
		t.Error("New in a folder without migrations: no error")
	}
	if err := os.WriteFile(filepath.Join(dir, "000009_nine.up.sql"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := schema.New(dir, "add_priority")
	want := []string{filepath.Join(dir, "000010_add_priority.up.sql"), filepath.Join(dir, "000010_add_priority.down.sql")}
	if err != nil || !reflect.DeepEqual(pair, want) {
		t.Errorf("New = %v, %v; want %v", pair, err, want)
	}
	for _, path := range want {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "Add", "a b", "../x", "_x", "x__y"} {
		if _, err := schema.New(dir, name); err == nil || !strings.Contains(err.Error(), "allowed are") {
			t.Errorf("New(%q) = %v; want an error that says what is allowed", name, err)
		}
	}
}

// unknownDatabase is one that the test server does not have.
func unknownDatabase(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(postgrestest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/no_such_database"
	return u.String()
}

// step checks what a migration returned.
func step(t *testing.T, name string, want uint) func(uint, error) {
	return func(got uint, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", name, got, err, want)
		}
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func exec(t *testing.T, url, sql string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// tables describes the schema: every column, constraint and index but migrate's own.
func tables(t *testing.T, url string) []string {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), `
		SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '') AS line
		  FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'schema_migrations'
		UNION ALL SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'schema_migrations'
		UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
		  WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'schema_migrations'
		ORDER BY line`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
