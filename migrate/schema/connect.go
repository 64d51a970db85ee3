package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"ksu/shared/config"
	"ksu/shared/database"
)

const (
	// patience is how long a server that refuses is tried again: one that was just started needs a second or two.
	patience = 10 * time.Second
	// connectTimeout bounds one attempt, unless the URL says connect_timeout: an Aurora that was paused for want of work
	// holds the connection for some 15 s until it has resumed.
	connectTimeout = 30 * time.Second
)

// connect opens a database once its server answers.
func connect(ctx context.Context, storage config.Storage) (*sql.DB, error) {
	cfg, err := database.Parse(ctx, storage)
	if err != nil {
		return nil, err
	}
	cc := cfg.ConnConfig
	if cc.ConnectTimeout == 0 || cc.ConnectTimeout > time.Minute { // pgx's own default is 2 minutes
		cc.ConnectTimeout = connectTimeout
	}
	var options []stdlib.OptionOpenDB
	if cfg.BeforeConnect != nil {
		options = append(options, stdlib.OptionBeforeConnect(cfg.BeforeConnect))
	}
	db := stdlib.OpenDB(*cc, options...)
	if err := reach(ctx, db, "Postgres", func(err error) bool { return cfg.Refused(err) || transient(err) }); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Postgres: %w", err), db.Close())
	}
	return db, nil
}

// reach waits until the server answers, as long as errors are transient, and logs what it waits for.
func reach(ctx context.Context, db *sql.DB, server string, transient func(error) bool) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	told := false
	for last := time.Now().Add(patience); ; {
		err := db.PingContext(ctx)
		if err == nil || !transient(err) || time.Now().After(last) {
			return err
		}
		if !told {
			told = true
			slog.WarnContext(ctx, "waiting for "+server, "at_most", patience.String(), "error", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// transient says whether connecting may succeed in a moment: the server did not answer, or said that it starts up. One
// that refuses the user or has no such database stays that way.
func transient(err error) bool {
	if errors.As(err, new(*ch.Exception)) {
		return false // ClickHouse does not answer before it has started
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return true
	}
	switch refused.Code {
	case "57P01", "57P02", "57P03", "53300": // shutting down, crashed, starting up, too many connections
		return true
	}
	return false
}
