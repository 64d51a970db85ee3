package schema

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eragon-mdi/ksu/shared/config"
)

// spare is how many connections remain for people and for the migration, which needs two.
const spare = 5

// connections is what a database's server offers, and what the functions need of it.
type connections struct {
	// most is max_connections, or the database's own limit if that is lower; reserved are those for superusers.
	most, reserved int
	// pooled says that a pooler shares the server's connections between the functions.
	pooled bool
	// api, worker and sweeper are the connections that the environments of each function need, 0 if unknown.
	api, worker, sweeper int
}

func (c connections) need() int { return c.api + c.worker + c.sweeper }
func (c connections) free() int { return c.most - c.reserved - spare }

// connectionsOf asks the server for its limits.
func connectionsOf(ctx context.Context, db *sql.DB, app config.App) (connections, error) {
	c := connections{
		api:     app.APIConcurrency,
		worker:  app.WorkerEnvironments() * app.WorkerConnections(),
		sweeper: config.SweeperConcurrency,
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return c, fmt.Errorf("ask for the server's connections: %w", err)
	}
	defer func() { _ = conn.Close() }() // back to the pool
	var backend uint32
	err = conn.QueryRowContext(ctx, `
		SELECT least(current_setting('max_connections')::int, CASE WHEN datconnlimit >= 0 THEN datconnlimit END),
			current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
			pg_backend_pid()
		FROM pg_database WHERE datname = current_database()`).Scan(&c.most, &c.reserved, &backend)
	if err != nil {
		return c, fmt.Errorf("ask for the server's connections: %w", err)
	}
	err = conn.Raw(func(driver any) error {
		// A pooler answers the login itself, with its own process number.
		c.pooled = driver.(*stdlib.Conn).Conn().PgConn().PID() != backend
		return nil
	})
	return c, err
}

// check refuses functions that need more connections than the server has. Environments keep their connections, so a
// late environment would fail every request.
func (c connections) check(app config.App) error {
	if c.pooled {
		slog.Info("a pooler shares the database's connections; they are not counted", "needed", c.need())
		return nil
	}
	if c.need() <= c.free() {
		slog.Info("connections of the database", "needed", c.need(), "free", c.free(), "max_connections", c.most)
		return nil
	}
	return fmt.Errorf("the functions need %d connections to the database, which has %d for them (max_connections %d, less %d for superusers and %d for people): "+
		"ApiConcurrency %d, %d worker environments (WorkerConcurrency, else Semaphore) with %d each, and %d of the sweeper; "+
		"lower ApiConcurrency or Semaphore and WorkerConcurrency, or raise max_connections",
		c.need(), max(c.free(), 0), c.most, c.reserved, spare, c.api, app.WorkerEnvironments(), app.WorkerConnections(), c.sweeper)
}
