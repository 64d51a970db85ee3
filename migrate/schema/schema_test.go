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
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/migrate/postgres"
	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/migrate/sqlite"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestUpDownUp(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		ctx := t.Context()
		empty := d.tables(t)
		step(t, "up", schema.Latest())(d.target.Up(ctx))
		full := d.tables(t)
		step(t, "up again", schema.Latest())(d.target.Up(ctx))
		step(t, "version", schema.Latest())(d.target.Version(ctx))
		step(t, "down 1", schema.Latest()-1)(d.target.Down(ctx, 1))
		step(t, "down to nothing", 0)(d.target.Down(ctx, 0))
		if got := d.tables(t); len(empty) != 0 || len(got) != 0 || len(full) == 0 {
			t.Errorf("after down there are %v, before up %v; want none", got, empty)
		}
		step(t, "down from nothing", 0)(d.target.Down(ctx, 3))
		step(t, "up", schema.Latest())(d.target.Up(ctx))
		if got := d.tables(t); !reflect.DeepEqual(got, full) {
			t.Errorf("up, down, up made %v; want %v", got, full)
		}
		step(t, "more downs than there are", 0)(d.target.Down(ctx, int(schema.Latest())+5))
	})
}

// TestRepeatable runs every migration on a database that already has it, as Up does after a migration was cut off.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	d := emptyPostgres(t)
	step(t, "up", schema.Latest())(d.target.Up(t.Context()))
	for _, name := range names(t, d.files, "*.up.sql") {
		text, err := fs.ReadFile(d.files, name)
		if err == nil {
			err = d.exec(t, string(text))
		}
		if err != nil {
			t.Errorf("%s again: %v", name, err)
		}
	}
}

// TestOneVersionForAll checks that each kind of database has the same migrations by number and name.
func TestOneVersionForAll(t *testing.T) {
	t.Parallel()
	want := names(t, postgres.Files, "*.sql")
	if got := names(t, sqlite.Files, "*.sql"); !reflect.DeepEqual(got, want) || len(want) != 2*int(schema.Latest()) {
		t.Errorf("migrate/sqlite has %v, migrate/postgres %v; want the same, %d pairs", got, want, schema.Latest())
	}
}

func TestUpRepeatsWhatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"before its commit":   "DROP TABLE lanes; ALTER TABLE tasks DROP COLUMN progress; UPDATE schema_migrations SET dirty = true",
		"after its commit":    "UPDATE schema_migrations SET dirty = true",
		"the first one":       "DROP TABLE idempotency_keys, tasks, lanes CASCADE; UPDATE schema_migrations SET dirty = true, version = 1",
		"the last one's down": "UPDATE schema_migrations SET dirty = true, version = 2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, d := t.Context(), emptyPostgres(t)
			step(t, "up", schema.Latest())(d.target.Up(ctx))
			want := d.tables(t)
			if err := d.exec(t, sql); err != nil {
				t.Fatal(err)
			}
			if _, err := d.target.Version(ctx); !errors.Is(err, schema.ErrDirty) {
				t.Errorf("Version = %v; want ErrDirty", err)
			}
			if _, err := d.target.Down(ctx, 1); !errors.Is(err, schema.ErrDirty) {
				t.Errorf("Down = %v; want ErrDirty", err)
			}
			step(t, "up", schema.Latest())(d.target.Up(ctx))
			if got := d.tables(t); !reflect.DeepEqual(got, want) {
				t.Errorf("tables %v; want %v", got, want)
			}
		})
	}
}

func TestUpLeavesANewerSchema(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		step(t, "up", schema.Latest())(d.target.Up(t.Context()))
		if err := d.exec(t, "UPDATE schema_migrations SET version = 999"); err != nil {
			t.Fatal(err)
		}
		step(t, "up", 999)(d.target.Up(t.Context()))
	})
}

// TestUpAtOnce holds the first of several Ups in the middle of a migration. The others must wait before they read the
// version, since it looks cut off.
func TestUpAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	url := testserver.EmptyPostgres(t)
	holder, observer := connect(t, url), connect(t, url)
	tx, err := holder.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// A type with the name of the first table blocks the migration that creates the table until the rollback.
	if _, err := tx.Exec(ctx, "CREATE TYPE tasks AS ENUM ()"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { step(t, "up", schema.Latest())(schema.Up(t.Context(), url+"&application_name="+t.Name())) })
	}
	const waiting = `SELECT count(*) FROM pg_stat_activity
		WHERE application_name = $1 AND wait_event_type = 'Lock' AND query LIKE '%ksu migrate%'`
	for n := 0; n < 3; {
		if err := observer.QueryRow(ctx, waiting, t.Name()).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	all.Wait()
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	taken := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(taken, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		ctx     context.Context
		storage config.Storage
		want    string
	}{
		"no URL":      {t.Context(), onPostgres(""), "DATABASE_URL is not set"},
		"bad URL":     {t.Context(), onPostgres("postgres://app:secret@:x/"), "DATABASE_URL: "},
		"no database": {t.Context(), onPostgres(unknownDatabase(t)), "does not exist"},
		"no server":   {stopped, onPostgres("postgres://app:secret@127.0.0.1:1/app"), "connect to Postgres"},
		"no path":     {t.Context(), config.Storage{Type: "internal"}, "STORAGE_PATH is not set"},
		"no folder":   {t.Context(), config.Storage{Type: "internal", Path: filepath.Join(taken, "ksu.db")}, "create the folder"},
		"no SQLite":   {t.Context(), config.Storage{Type: "internal", Path: taken}, "not a database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := target(t, test.storage).Up(test.ctx)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Up = %v; want %q in it, and no password", err, test.want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := schema.New(root, "first"); err == nil {
		t.Error("New in a folder without migrations: no error")
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		if err := os.Mkdir(filepath.Join(root, kind), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, kind, "000009_nine.up.sql"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := schema.New(root, "add_priority")
	var want []string
	for _, name := range []string{"postgres/000010_add_priority.up.sql", "postgres/000010_add_priority.down.sql",
		"sqlite/000010_add_priority.up.sql", "sqlite/000010_add_priority.down.sql"} {
		want = append(want, filepath.Join(root, name))
	}
	if err != nil || !reflect.DeepEqual(paths, want) {
		t.Errorf("New = %v, %v; want %v", paths, err, want)
	}
	for _, path := range want {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "Add", "a b", "../x", "_x", "x__y"} {
		if _, err := schema.New(root, name); err == nil || !strings.Contains(err.Error(), "allowed are") {
			t.Errorf("New(%q) = %v; want an error that says what is allowed", name, err)
		}
	}
}

// unknownDatabase is a URL of a database that the test server does not have.
func unknownDatabase(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(testserver.EmptyPostgres(t))
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
