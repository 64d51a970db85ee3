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

// Logs is the ClickHouse database with the log lines. The configuration has an Address. Up also sets how long lines are
// kept. ClickHouse has no locks for migrations: several Up at once run the same files, so the files are repeatable.
func Logs(cfg config.ClickHouse) *Target {
	return &Target{
		files:   clickhouse.Files,
		connect: func(ctx context.Context) (*sql.DB, error) { return connectLogs(ctx, cfg) },
		driver: func(db *sql.DB) (database.Driver, error) {
			// MergeTree is there on all servers; the driver's default, TinyLog, is not on ClickHouse Cloud.
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
		// Of the handshake as well, with a server that accepts and says nothing.
		DialTimeout: logsDialTimeout,
		// One connection: a table that one replica of several addresses has is not at once on the others.
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

// logsDriver records versions by a statement that old servers understand too: 18.16 waits for ever for the data of an
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
		return fmt.Errorf("write down version %d: %w", version, err)
	}
	return nil
}
