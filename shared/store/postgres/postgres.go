// Package postgres keeps tasks in Postgres. Each method is one statement and one round trip, and all times are the
// server's. The schema is that of package migrate/schema.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
	"github.com/eragon-mdi/ksu/shared/task"
)

const (
	// maxConns is enough for an environment that does one thing at a time, such as the API's and the sweeper's. All
	// environments share the few hundred connections of the server.
	maxConns = 1
	// connectTimeout bounds one attempt to connect, unless the URL says connect_timeout. A paused Aurora holds the
	// connection for some 15 s until it has resumed.
	connectTimeout = 20 * time.Second
	// patience is how long Open tries to reach the server. A restart takes a second or two, and Lambda gives an
	// environment 10 s for its init.
	patience = 3 * time.Second
	// pingTimeout bounds the check of an idle connection; if a NAT gateway dropped it, no answer ever comes.
	pingTimeout = 2 * time.Second
	// housekeeping is how often the pool checks idle connections. A frozen environment cannot check, so the ping after
	// a second of idleness detects dead connections.
	housekeeping = 5 * time.Minute
)

// Store is a task.Store in Postgres.
type Store struct {
	pool     *pgxpool.Pool
	database *pgconf.Config
	// pooled means that statements have no names, because a pooler shares the server's sessions between clients.
	// detects means that the store detects this itself.
	pooled  atomic.Bool
	detects bool
}

var _ task.Store = (*Store)(nil)

// Open connects to the database and checks that it answers. If the server is unreachable for some seconds, Open still
// succeeds: the store connects when it is used, and its methods return task.ErrUnavailable until then. Otherwise Lambda
// would restart the failed function for each request, and its caller would not learn why. Open fails for a permanent
// refusal, such as a wrong password; the error never shows the password.
func Open(ctx context.Context, cfg config.Storage) (*Store, error) {
	db, err := poolConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{database: db, detects: cmp.Or(cfg.Pooler, poolerAuto) == poolerAuto}
	s.pooled.Store(cfg.Pooler == poolerTransaction)
	db.BeforeConnect = s.unnamed()
	pool, err := pgxpool.NewWithConfig(ctx, db.Config)
	if err != nil {
		return nil, fmt.Errorf("set up the connection pool: %w", err)
	}
	s.pool = pool
	if err := s.reach(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	return s, nil
}

func poolConfig(ctx context.Context, storage config.Storage) (*pgconf.Config, error) {
	cfg, err := pgconf.Parse(ctx, storage)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = int32(cmp.Or(storage.MaxConnections, maxConns)), 0, 0
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod, cfg.PingTimeout = 2*housekeeping, housekeeping, pingTimeout
	cc := cfg.ConnConfig
	if cc.ConnectTimeout == 0 || cc.ConnectTimeout > time.Minute { // pgx's own default is 2 minutes
		cc.ConnectTimeout = connectTimeout
	}
	if cc.RuntimeParams["application_name"] == "" {
		cc.RuntimeParams["application_name"] = "ksu"
	}
	return cfg, nil
}

// reach waits until the server answers, but no longer than patience. A connection attempt in progress goes on, and its
// connection serves the first statement. reach returns a permanent refusal, or ctx's error.
func (s *Store) reach(ctx context.Context) error {
	trying, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for refusal := error(nil); ; {
		err := s.pool.Ping(trying)
		switch {
		case s.database.Refused(err):
			refusal = err // permanent, unless the secret is being rotated
		case err == nil || !errors.Is(unavailable(err), task.ErrUnavailable):
			return err
		}
		select {
		case <-trying.Done():
			return cmp.Or(refusal, ctx.Err())
		case <-tick.C:
		}
	}
}

// Close closes the connections. It waits for running statements.
func (s *Store) Close() { s.pool.Close() }

// row runs a statement that returns at most one row. With again, the statement may run twice.
func (s *Store) row(ctx context.Context, again bool, scan func(pgx.Row) error, sql string, args ...any) error {
	return s.run(ctx, again, func() error { return scan(s.pool.QueryRow(ctx, sql, args...)) })
}

// rows is row for statements that return any number of rows.
func rows[T any](ctx context.Context, s *Store, again bool, scan pgx.RowToFunc[T], sql string, args ...any) (list []T, err error) {
	err = s.run(ctx, again, func() error {
		found, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(found, scan)
		return err
	})
	return list, err
}

// exec runs a statement and returns how many rows it wrote.
func (s *Store) exec(ctx context.Context, again bool, sql string, args ...any) (n int64, err error) {
	err = s.run(ctx, again, func() error {
		tag, err := s.pool.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// run runs a statement, and again if that may help.
func (s *Store) run(ctx context.Context, again bool, statement func() error) error {
	err := statement()
	if s.betweenSessions(err) {
		err = statement()
	}
	if s.retry(ctx, err, again) {
		err = statement()
	}
	if s.database.Refused(err) { // so there was no connection to run it on
		err = statement()
	}
	if s.database.Refused(err) { // during a rotation, the secret is older than the server's password
		return fmt.Errorf("%w: %w", task.ErrUnavailable, err)
	}
	return unavailable(err)
}

// retry prepares another attempt at a statement that failed for now, and reports whether to make it. A statement that
// may have been committed runs again only if again says so.
func (s *Store) retry(ctx context.Context, err error, again bool) bool {
	if ctx.Err() != nil || !Passing(err) {
		return false
	}
	switch reactionTo(err) {
	case repeat:
		return true
	case reconnect:
		s.pool.Reset() // a server that was restarted or replaced has lost the other connections too
		return true
	case replace:
		s.pool.Reset()
		return again
	default:
		return false
	}
}
