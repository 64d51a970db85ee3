package schema

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/golang-migrate/migrate/v4/database"
	clickhousedriver "github.com/golang-migrate/migrate/v4/database/clickhouse"

	"github.com/eragon-mdi/ksu/migrate/clickhouse"
	"github.com/eragon-mdi/ksu/shared/config"
)

// Logs returns the ClickHouse database with the log lines. The configuration must have an Address. Up also sets the
// retention. ClickHouse has no locks for migrations: concurrent Ups run the same files, so the files are repeatable.
func Logs(cfg config.ClickHouse) *Target {
	return &Target{
		files:   clickhouse.Files,
		connect: func(ctx context.Context) (*sql.DB, error) { return connectLogs(ctx, cfg) },
		driver: func(db *sql.DB) (database.Driver, error) {
			// All servers have MergeTree; ClickHouse Cloud lacks the driver's default, TinyLog.
			driver, err := clickhousedriver.WithInstance(db, &clickhousedriver.Config{MultiStatementEnabled: true, MigrationsTableEngine: "MergeTree"})
			return logsDriver{driver, db}, err
		},
		finish: func(ctx context.Context, db *sql.DB) error { return clickhouse.Finish(ctx, db, cfg.RetentionDays) },
	}
}

// logsDialTimeout bounds one attempt to connect.
const logsDialTimeout = 5 * time.Second

// connectLogs opens the database once its server answers.
func connectLogs(ctx context.Context, cfg config.ClickHouse) (*sql.DB, error) {
	options := &ch.Options{
		Addr: strings.Split(cfg.Address, ","),
		Auth: ch.Auth{Database: cfg.Database, Username: cfg.Username, Password: string(cfg.Password)},
		// It covers the handshake too, with a server that accepts and stays silent.
		DialTimeout: logsDialTimeout,
		// One connection: a new table of one replica is not at once on the others.
		MaxOpenConns: 1,
	}
	if cfg.Secure {
		options.TLS = &tls.Config{}
	}
	db := ch.OpenDB(options)
	what := "ClickHouse at " + cfg.Address
	if err := reach(ctx, db, what, transient); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", what, err), db.Close())
	}
	return db, nil
}

// logsDriver records versions by a statement that old servers understand: 18.16 waits for ever for the data of an
// INSERT … VALUES.
type logsDriver struct {
	database.Driver
	db *sql.DB
}

// SetVersion implements database.Driver.
func (d logsDriver) SetVersion(version int, dirty bool) error {
	bit := 0
	if dirty {
		bit = 1
	}
	statement := fmt.Sprintf("INSERT INTO %s (version, dirty, sequence) SELECT %d, %d, %d",
		clickhousedriver.DefaultMigrationsTable, version, bit, time.Now().UnixNano())
	if _, err := d.db.Exec(statement); err != nil {
		return fmt.Errorf("write version %d: %w", version, err)
	}
	return nil
}
