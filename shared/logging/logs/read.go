package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

// skew is how far the clocks of functions and database may differ.
const skew = time.Minute

// reader prints lines.
type reader struct {
	// server returns the connection options. A restarted local stack has another address and password.
	server func() (*ch.Options, error)
	db     *sql.DB // nil before connect
	out    io.Writer
	notes  io.Writer
}

// connect finds the server, again if necessary. It fails if there is none.
func (r *reader) connect() error {
	options, err := r.server()
	if err != nil {
		return err
	}
	r.close()
	options.DialTimeout = 5 * time.Second // includes the handshake with a server that stays silent
	r.db = ch.OpenDB(options)
	return nil
}

func (r *reader) close() {
	if r.db != nil {
		_ = r.db.Close()
	}
}

// story prints all lines of a task. The id has the creation time, from which the lines begin.
func (r *reader) story(ctx context.Context, id uuid.UUID) error {
	var from time.Time
	if id.Version() == 7 {
		from = time.Unix(id.Time().UnixTime()).Add(-skew)
	}
	lines, err := r.read(ctx, from, "AND task_id = ?", id.String())
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("ClickHouse has no lines of task %s", id)
	}
	for _, l := range lines {
		if err := r.print(l); err != nil {
			return err
		}
	}
	return nil
}

// read returns the lines from a time on, in order.
func (r *reader) read(ctx context.Context, from time.Time, condition string, args ...any) (lines []line, err error) {
	since := int64(0)
	if !from.IsZero() {
		since = from.Unix()
	}
	rows, err := r.db.QueryContext(ctx, fmt.Sprintf("SELECT timestamp, nanosecond, level, function, message, task_id, attempt, "+
		"attributes, batch, line FROM logs WHERE timestamp >= toDateTime(%d) %s ORDER BY timestamp, nanosecond, batch, line", since, condition), args...)
	if err != nil {
		return nil, fmt.Errorf("read the logs from ClickHouse: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l line
		var nanosecond uint32
		err := rows.Scan(&l.at, &nanosecond, &l.level, &l.function, &l.message, &l.task, &l.attempt, &l.attributes, &l.batch, &l.number)
		if err != nil {
			return nil, fmt.Errorf("read the logs from ClickHouse: %w", err)
		}
		l.at = l.at.Add(time.Duration(nanosecond))
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the logs from ClickHouse: %w", err)
	}
	return lines, nil
}
