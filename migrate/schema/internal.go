//go:build !nosqlite

package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/golang-migrate/migrate/v4/database"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/eragon-mdi/ksu/migrate/sqlite"
	"github.com/eragon-mdi/ksu/shared/config"
)

func init() {
	internal = func(storage config.Storage) *Target {
		return &Target{
			files:   sqlite.Files,
			connect: func(ctx context.Context) (*sql.DB, error) { return openFile(ctx, storage.Path) },
			driver:  func(db *sql.DB) (database.Driver, error) { return newFile(db) },
		}
	}
}

// openFile opens the internal store's file, and creates it if it is missing.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	if path == "" {
		return nil, errors.New("STORAGE_PATH is not set; it is the file of the internal store")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("STORAGE_PATH: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the internal store: %w", err)
	}
	// SQLite would create the file readable by other users. If this fails, SQLite reports why.
	if created, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		if err := created.Close(); err != nil {
			return nil, fmt.Errorf("create the internal store: %w", err)
		}
	}
	query := url.Values{
		"_busy_timeout": {"10000"},
		"_journal_mode": {"WAL"}, // persistent in the file
		"_dqs":          {"0"},   // "x" is a name, never a text
		"_error_rc":     {"1"},   // an error's text is its own
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	// If several connections change a new file's journal mode at once, SQLite fails all but one without waiting.
	what := "the internal store " + path
	err = reach(ctx, db, what, func(err error) bool {
		refused := new(driver.Error)
		return errors.As(err, &refused) && refused.Code()&0xff == sqlite3.SQLITE_BUSY
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", what, err), db.Close())
	}
	return db, nil
}

// file is a SQLite file to golang-migrate, whose own SQLite driver does not lock other processes out. Here the lock is
// a transaction. SQLite creates and changes tables within transactions too. So an Up runs all its migrations or none,
// and no other process sees a version in between.
type file struct {
	db   *sql.DB
	conn *sql.Conn
	// failed prevents the commit.
	failed bool
}

func newFile(db *sql.DB) (*file, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	f := &file{db: db, conn: conn}
	if err := f.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL, dirty INTEGER NOT NULL) STRICT`); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return f, nil
}

// exec takes no context, like golang-migrate: nothing may cut a migration off.
func (f *file) exec(text string, args ...any) error {
	_, err := f.conn.ExecContext(context.Background(), text, args...)
	return err
}

// Lock begins the transaction.
func (f *file) Lock() error {
	if err := f.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	return nil
}

// Unlock ends the transaction.
func (f *file) Unlock() error {
	if f.failed {
		f.failed = false
		return f.exec(`ROLLBACK`)
	}
	return f.exec(`COMMIT`)
}

// Run runs a file.
func (f *file) Run(migration io.Reader) error {
	text, err := io.ReadAll(migration)
	if err == nil {
		err = f.exec(string(text))
	}
	f.failed = f.failed || err != nil
	return err
}

// SetVersion writes the schema's version.
func (f *file) SetVersion(version int, dirty bool) error {
	err := f.exec(`DELETE FROM schema_migrations`)
	if err == nil && version != database.NilVersion {
		err = f.exec(`INSERT INTO schema_migrations (version, dirty) VALUES (?1, ?2)`, version, dirty)
	}
	f.failed = f.failed || err != nil
	return err
}

// Version reads the schema's version.
func (f *file) Version() (version int, dirty bool, err error) {
	err = f.conn.QueryRowContext(context.Background(), `SELECT version, dirty FROM schema_migrations`).Scan(&version, &dirty)
	if errors.Is(err, sql.ErrNoRows) {
		return database.NilVersion, false, nil
	}
	return version, dirty, err
}

// Close closes the file.
func (f *file) Close() error { return errors.Join(f.conn.Close(), f.db.Close()) }

// Open and Drop are golang-migrate's own commands, which nothing here calls.
func (f *file) Open(string) (database.Driver, error) { return nil, errors.ErrUnsupported }
func (f *file) Drop() error                          { return errors.ErrUnsupported }
