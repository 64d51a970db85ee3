package testserver

import (
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Postgres returns the URL of a new database with the newest schema. The end of the test drops it.
func Postgres(t testing.TB) string {
	t.Helper()
	return dropped(t, must[string](t, "Postgres.Migrated", struct{}{}))
}

// EmptyPostgres is Postgres without tables.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return dropped(t, must[string](t, "Postgres.Empty", struct{}{}))
}

func dropped(t testing.TB, address string) string {
	t.Cleanup(func() {
		if _, err := call[struct{}]("Postgres.Drop", address); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return address
}

// PrivatePostgres returns the superuser's URL of a server that requires passwords. No other test binary uses that
// server, even if TEST_DATABASE_URL is set.
func PrivatePostgres(t testing.TB) string {
	t.Helper()
	return must[string](t, "Postgres.Private", struct{}{})
}

// MigratePostgres gives the database at a URL the newest schema.
func MigratePostgres(t testing.TB, address string) {
	t.Helper()
	must[struct{}](t, "Postgres.Migrate", address)
}

// migrated is a file of the internal store with the newest schema and without tasks.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "testserver-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "migrated.db")
	if _, err := call[struct{}]("SQLite.Migrate", path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLite writes a file of the internal store with the newest schema to a path, and creates its folder.
func SQLite(t testing.TB, path string) {
	t.Helper()
	if err := writeSQLite(path); err != nil {
		t.Fatal(err)
	}
}

// TemporarySQLite is SQLite for an Example function, which has no testing.TB. It returns the path of a new file, and a
// function that removes it.
func TemporarySQLite() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "testserver-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, "ksu.db")
	if err := writeSQLite(path); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

func writeSQLite(path string) error {
	content, err := migrated()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// ClickHouse is a private server.
type ClickHouse struct {
	// Address is host:port of the native protocol; it stays the same over Stop and Start. The account is default,
	// without a password.
	Address string
}

// NewClickHouse starts a server that the end of the test kills. It fails the test if ClickHouse is not installed.
func NewClickHouse(t testing.TB) ClickHouse {
	t.Helper()
	s := ClickHouse{must[string](t, "ClickHouse.Serve", struct{}{})}
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// SharedClickHouse returns the server of all tests that do not stop it. It ends with the test binary.
func SharedClickHouse(t testing.TB) ClickHouse {
	t.Helper()
	address, err := sharedClickHouse()
	if err != nil {
		t.Fatal(err)
	}
	return ClickHouse{address}
}

var sharedClickHouse = sync.OnceValues(func() (string, error) { return call[string]("ClickHouse.Serve", struct{}{}) })

// Stop kills the server, as a crash would. A second Stop does nothing.
func (s ClickHouse) Stop(t testing.TB) {
	t.Helper()
	must[struct{}](t, "ClickHouse.Stop", s.Address)
}

// Start restarts a stopped server with its data.
func (s ClickHouse) Start(t testing.TB) {
	t.Helper()
	must[struct{}](t, "ClickHouse.Start", s.Address)
}

// Empty returns the name of a new database without tables.
func (s ClickHouse) Empty(t testing.TB) string {
	t.Helper()
	return must[string](t, "ClickHouse.Empty", s.Address)
}

// Logs returns the name of a new database with the table logs.
func (s ClickHouse) Logs(t testing.TB) string {
	t.Helper()
	return must[string](t, "ClickHouse.Migrated", s.Address)
}

// MigrateLogs gives a database the table logs.
func (s ClickHouse) MigrateLogs(t testing.TB, database string) {
	t.Helper()
	must[struct{}](t, "ClickHouse.Migrate", struct{ Address, Name string }{s.Address, database})
}

// DB opens a database of the server until the test ends. The test's package must import the driver, clickhouse-go.
func (s ClickHouse) DB(t testing.TB, database string) *sql.DB {
	t.Helper()
	db, err := sql.Open("clickhouse", "clickhouse://default@"+s.Address+"/"+database)
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
