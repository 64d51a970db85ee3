package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// transaction takes a step of several statements. It holds the write lock from its beginning, so no other process
// changes the rows that it reads. It ends before it returns. sql.Tx would roll back in the background when its context
// ends, and an environment that is frozen meanwhile would keep the lock.
func (s *Store) transaction(ctx context.Context, do func(*sql.Conn) error) error {
	return s.run(ctx, func() error {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		err = within(ctx, conn, do)
		return errors.Join(err, conn.Close()) // back to the pool
	})
}

func within(ctx context.Context, conn *sql.Conn, do func(*sql.Conn) error) error {
	_, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`)
	if err == nil {
		err = do(conn)
	}
	over := context.WithoutCancel(ctx)
	if err == nil {
		_, err = conn.ExecContext(over, `COMMIT`)
	}
	if err != nil { // also of BEGIN, which may have succeeded just as ctx ended
		_, _ = conn.ExecContext(over, `ROLLBACK`) // there may be nothing to roll back
	}
	return err
}
