package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
)

const (
	// patience is how long to retry a server that refuses: a server that was just started needs a second or two.
	patience = 10 * time.Second
	// connectTimeout bounds one attempt, unless the URL says connect_timeout. A paused Aurora holds the connection for
	// some 15 s until it has resumed.
	connectTimeout = 30 * time.Second
)

// connect opens a database once its server answers.
func connect(ctx context.Context, storage config.Storage) (*sql.DB, error) {
	cfg, err := pgconf.Parse(ctx, storage)
	if err != nil {
		return nil, err
	}
	cc := cfg.ConnConfig
	if cc.ConnectTimeout == 0 || cc.ConnectTimeout > time.Minute { // pgx's own default is 2 minutes
		cc.ConnectTimeout = connectTimeout
	}
	cc.DefaultQueryExecMode = pgx.QueryExecModeExec // no prepared statements, which a pooler may give to another session
	var options []stdlib.OptionOpenDB
	if cfg.BeforeConnect != nil {
		options = append(options, stdlib.OptionBeforeConnect(cfg.BeforeConnect))
	}
	db := stdlib.OpenDB(*cc, options...)
	_, address := pgconn.NetworkAddress(cc.Host, cc.Port)
	if err := reach(ctx, db, "Postgres at "+address, func(err error) bool { return cfg.Refused(err) || transient(err) }); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Postgres, database %s, user %s: %w", cc.Database, cc.User, reasons(err)), db.Close())
	}
	return db, nil
}

// reasons is why a connection failed: the server's error, else the network's, each reason once. With the sslmodes
// prefer and allow, pgx tries each address with TLS and without.
func reasons(err error) error {
	var failed *pgconn.ConnectError
	if !errors.As(err, &failed) {
		return err
	}
	for inner := failed.Unwrap(); inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		all := joined.Unwrap()
		answered := slices.ContainsFunc(all, isAnswer)
		var distinct []error
		for _, reason := range all {
			repeated := slices.ContainsFunc(distinct, func(e error) bool { return e.Error() == reason.Error() })
			if !repeated && isAnswer(reason) == answered {
				distinct = append(distinct, reason)
			}
		}
		if len(distinct) == 1 {
			return distinct[0]
		}
		return errors.Join(distinct...)
	}
	return err
}

// isAnswer reports whether an error is the server's.
func isAnswer(err error) bool { return errors.As(err, new(*pgconn.PgError)) }

// reach waits until the server answers, as long as errors are transient. It logs once what it waits for: at the first
// error, or after a second without an answer.
func reach(ctx context.Context, db *sql.DB, server string, transient func(error) bool) error {
	var once sync.Once
	tell := func(more ...any) { once.Do(func() { slog.WarnContext(ctx, "waiting for "+server, more...) }) }
	silence := time.AfterFunc(time.Second, func() { tell() })
	defer silence.Stop()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for last := time.Now().Add(patience); ; {
		err := db.PingContext(ctx)
		if err == nil || !transient(err) || time.Now().After(last) {
			return err
		}
		tell("at_most", patience.String(), "error", reasons(err))
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// transient reports whether connecting may succeed in a moment: the server did not answer, or refused for now. An
// unknown user or database is permanent.
func transient(err error) bool {
	if errors.As(err, new(*ch.Exception)) {
		return false // ClickHouse does not answer before it has started
	}
	return !isAnswer(err) || postgres.Passing(err)
}
