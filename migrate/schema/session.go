package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/golang-migrate/migrate/v4/database"
)

// alone waits until no other process migrates the database's schema, and keeps others out until release.
//
// The lock belongs to a transaction, not to a session: a pooler in transaction mode sends the unlock to another
// session, and the next migration would wait for ever. The lock also covers the reading of the version, since a running
// migration looks like one that was cut off.
func alone(ctx context.Context, db *sql.DB) (release func(), err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	for _, statement := range []string{
		// The transaction is idle while the migrations run, and waits while other processes migrate.
		`SET LOCAL idle_in_transaction_session_timeout = 0`,
		`SET LOCAL lock_timeout = 0`,
		`SELECT pg_advisory_xact_lock(hashtextextended('ksu migrate ' || coalesce(current_schema(), ''), 0))`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("wait for other migrations: %w", err), tx.Rollback())
		}
	}
	return func() { _ = tx.Rollback() }, nil // the transaction has written nothing
}

// session is a connection to Postgres for golang-migrate. golang-migrate's own driver locks by the session; here, alone
// keeps other processes out.
type session struct {
	db   *sql.DB
	conn *sql.Conn
}

// newSession creates the version table if it is missing, with golang-migrate's columns.
func newSession(db *sql.DB) (*session, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	s := &session{db: db, conn: conn}
	var there bool
	err = conn.QueryRowContext(context.Background(), `SELECT to_regclass('schema_migrations') IS NOT NULL`).Scan(&there)
	if err == nil && !there {
		err = s.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)`)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// exec takes no context, like golang-migrate: nothing may interrupt a migration.
func (s *session) exec(text string) error {
	_, err := s.conn.ExecContext(context.Background(), text)
	return err
}

// Lock and Unlock do nothing; see alone.
func (s *session) Lock() error   { return nil }
func (s *session) Unlock() error { return nil }

// Run runs a file, whose statements are one transaction.
func (s *session) Run(migration io.Reader) error {
	text, err := io.ReadAll(migration)
	if err != nil {
		return err
	}
	return s.exec(string(text))
}

// SetVersion writes the schema's version.
func (s *session) SetVersion(version int, dirty bool) error {
	text := `DELETE FROM schema_migrations`
	if version != database.NilVersion {
		text += fmt.Sprintf(`; INSERT INTO schema_migrations (version, dirty) VALUES (%d, %t)`, version, dirty)
	}
	if err := s.exec(text); err != nil {
		return fmt.Errorf("write version %d: %w", version, err)
	}
	return nil
}

// Version reads the schema's version.
func (s *session) Version() (version int, dirty bool, err error) {
	err = s.conn.QueryRowContext(context.Background(), `SELECT version, dirty FROM schema_migrations`).Scan(&version, &dirty)
	if errors.Is(err, sql.ErrNoRows) {
		return database.NilVersion, false, nil
	}
	return version, dirty, err
}

// Close closes the connection and the database.
func (s *session) Close() error { return errors.Join(s.conn.Close(), s.db.Close()) }

// Open and Drop are golang-migrate's own commands, which nothing here calls.
func (s *session) Open(string) (database.Driver, error) { return nil, errors.ErrUnsupported }
func (s *session) Drop() error                          { return errors.ErrUnsupported }
