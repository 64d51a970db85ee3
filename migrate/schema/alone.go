package schema

import (
	"context"
	"database/sql"
	"fmt"
)

// alone holds an advisory lock of the database's schema. golang-migrate's own lock is held during a migration alone: who
// looks at the version meanwhile would take a migration that another process is in the middle of for one that was cut
// off, and repeat it. The lock goes with db, which is closed before release is called.
func alone(ctx context.Context, db *sql.DB) (release func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	const lock = `SELECT pg_advisory_lock(hashtextextended('ksu migrate ' || coalesce(current_schema(), ''), 0))`
	if _, err := conn.ExecContext(ctx, lock); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	// The lock ends with its connection, which Close ends and does not keep: the pool is closed by then.
	return func() { _ = conn.Close() }, nil
}
