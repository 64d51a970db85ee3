package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"ksu/shared/logging"
)

const (
	// period is how often follow looks for new lines.
	period = time.Second
	// late is how much later than it was logged a line may arrive and still be shown by follow: above a batch_interval of
	// a minute, and above the minute between two sweeps, after which lines of a flush that failed come.
	late = 3 * time.Minute
	// before is how far back follow begins.
	before = 10 * time.Second
	// skew is by how much the clocks of functions and database may differ.
	skew = time.Minute
)

// reader prints lines.
type reader struct {
	db  *sql.DB
	out slog.Handler
	// width is that of the longest function's name so far.
	width int
}

func open(options *ch.Options, out io.Writer) *reader {
	options.DialTimeout = 5 * time.Second // of the handshake as well, with a server that says nothing
	return &reader{db: ch.OpenDB(options), out: logging.NewConsole(out)}
}

func (r *reader) close() { _ = r.db.Close() }

// story prints all lines of a task. Its id says when it was created, and so where the lines begin.
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
		r.widen(l)
	}
	for _, l := range lines {
		l.task = "" // it is the same in all of them
		if err := r.print(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// follow prints lines as they arrive until ctx ends, each once.
func (r *reader) follow(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	seen := map[key]time.Time{}
	for from := time.Now().Add(-before); ; from = later(from, time.Now().Add(-late)) {
		lines, err := r.read(ctx, from, "")
		if err != nil {
			return err
		}
		for _, l := range lines {
			if _, known := seen[l.key]; known {
				continue
			}
			seen[l.key] = l.at
			if err := r.print(ctx, l); err != nil {
				return err
			}
		}
		for k, at := range seen {
			if at.Before(from.Add(-time.Second)) {
				delete(seen, k)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// read returns the lines from a time on, in their order.
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
