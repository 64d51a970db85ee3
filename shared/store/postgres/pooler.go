package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The values of storage.pooler.
const (
	// poolerAuto names prepared statements until an answer shows that another session has them.
	poolerAuto = "auto"
	// poolerTransaction never names a statement: different sessions of the server may run consecutive transactions.
	poolerTransaction = "transaction"
)

// A pooler in transaction mode gives each transaction to any session of the server. A statement prepared in one session
// is missing in the next, or another client has prepared it there. pgx derives the name of a statement from its text,
// so a name always means the same statement.
//
// Without names, the server parses and plans a statement at each run. The first run on a connection asks for its
// parameter types, which takes a second round trip.

// unnamed makes the pool's next connections send statements without names.
func (s *Store) unnamed() func(context.Context, *pgx.ConnConfig) error {
	credentials := s.database.BeforeConnect
	return func(ctx context.Context, cfg *pgx.ConnConfig) error {
		if s.pooled.Load() && cfg.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
			cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
		if credentials == nil {
			return nil
		}
		return credentials(ctx, cfg)
	}
}

// betweenSessions reports whether a statement failed because another session has its prepared form. The server did not
// run it. From then on, the store names no statement.
func (s *Store) betweenSessions(err error) bool {
	var answered *pgconn.PgError
	if !s.detects || !errors.As(err, &answered) {
		return false
	}
	switch answered.Code {
	case "26000", // the prepared statement does not exist
		"42P05": // the prepared statement already exists
		s.pooled.Store(true)
		s.pool.Reset()
		return true
	}
	return false
}
