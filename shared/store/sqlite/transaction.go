package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// statements runs prepared statements within one transaction.
type statements struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

// transaction takes a step of several statements, all of which it must be told, since there is one connection to
// prepare them on. It holds the write lock from its beginning: what it reads is what it writes on.
func (s *Store) transaction(ctx context.Context, do func(statements) error, texts ...string) error {
	return s.run(ctx, func() error {
		prepared := make(map[string]*sql.Stmt, len(texts))
		for _, text := range texts {
			st, err := s.statement(ctx, text)
			if err != nil {
				return err
			}
			prepared[text] = st
		}
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(statements{ctx, tx, prepared}); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// exec runs a statement and returns how many rows it wrote.
func (do statements) exec(text string, args ...any) (int64, error) {
	result, err := do.tx.StmtContext(do.ctx, do.prepared[text]).ExecContext(do.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// first runs a statement and returns its first row, or sql.ErrNoRows.
func first[T any](do statements, scan func(row) (T, error), text string, args ...any) (T, error) {
	list, err := collect(do.ctx, do.tx.StmtContext(do.ctx, do.prepared[text]), scan, args...)
	if err == nil && len(list) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return *new(T), err
	}
	return list[0], nil
}
