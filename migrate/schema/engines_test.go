package schema_test

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/eragon-mdi/ksu/migrate/postgres"
	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/migrate/sqlite"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// database is an empty database of some kind.
type database struct {
	target *schema.Target
	files  fs.FS
	// driver and name are the arguments of sql.Open.
	driver, name string
	// path is the file of the internal store.
	path string
	// now is the literal of some time.
	now string
	// describe lists what the migrations created, line by line, without the table schema_migrations.
	describe string
}

// eachEngine runs a test on each kind of database.
func eachEngine(t *testing.T, test func(*testing.T, database)) {
	for kind, empty := range map[string]func(*testing.T) database{"postgres": emptyPostgres, "internal": emptyInternal} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

func emptyPostgres(t *testing.T) database {
	address := testserver.EmptyPostgres(t)
	return database{
		target: target(t, onPostgres(address)), files: postgres.Files, driver: "pgx", name: address, now: "now()", describe: `
		SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '') AS line
		  FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'schema_migrations'
		UNION ALL SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'schema_migrations'
		UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
		  WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'schema_migrations'
		ORDER BY line`,
	}
}

func emptyInternal(t *testing.T) database {
	folder := filepath.Join(t.TempDir(), "a folder?mode=ro&#%20") // which a URL would misread
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "ksu.db")
	name := (&url.URL{Scheme: "file", Path: path, RawQuery: "_busy_timeout=10000"}).String()
	return database{
		target: target(t, config.Storage{Type: "internal", Path: path}), files: sqlite.Files, driver: "sqlite", name: name, path: path, now: "1",
		describe: `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> 'schema_migrations' ORDER BY sql`,
	}
}

func target(t *testing.T, storage config.Storage) *schema.Target {
	t.Helper()
	found, err := schema.Tasks(storage)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func onPostgres(address string) config.Storage {
	return config.Storage{Type: "postgres", DatabaseURL: config.Secret(address)}
}

// open connects without package schema.
func (d database) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.name)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// exec runs statements, separated by semicolons.
func (d database) exec(t *testing.T, text string) error {
	t.Helper()
	db := d.open(t)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err := db.ExecContext(t.Context(), text)
	return err
}

// tables describes the schema.
func (d database) tables(t *testing.T) []string {
	t.Helper()
	db := d.open(t)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := db.QueryContext(context.Background(), d.describe)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// names lists a file system's files by a pattern.
func names(t *testing.T, files fs.FS, pattern string) []string {
	t.Helper()
	list, err := fs.Glob(files, pattern)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
