package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// patience is how long a server that does not answer is tried: one that was just started needs a second or two.
const patience = 10 * time.Second

// connect opens a database once its server answers.
func connect(ctx context.Context, url string) (*sql.DB, error) {
	if url == "" {
		return nil, errors.New("DATABASE_URL is not set; it names the database, such as postgres://user:password@host:5432/name")
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return db, nil
		}
		if !transient(err) || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("connect to Postgres: %w", err), db.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("connect to Postgres: %w", err), db.Close())
		case <-tick.C:
		}
	}
}

// transient says whether connecting may succeed in a moment: the server did not answer, or said that it starts up. One
// that refuses the user or has no such database stays that way.
func transient(err error) bool {
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
