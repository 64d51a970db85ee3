package clickhouse

import (
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// fill appends the batch to an insert column by column, in the order of insertStatement.
func (s *sender) fill(insert driver.Batch, b *batch) error {
	n := len(b.rows)
	columns := []any{
		collect(b, func(r *row) int64 { return r.at.Unix() }),
		collect(b, func(r *row) uint32 { return uint32(r.at.Nanosecond()) }),
		collect(b, func(r *row) string { return r.level }),
		repeat(n, s.cfg.Function),
		repeat(n, s.cfg.Version),
		collect(b, func(r *row) string { return r.message }),
		collect(b, func(r *row) string { return r.columns.request }),
		collect(b, func(r *row) string { return r.columns.trace }),
		collect(b, func(r *row) string { return r.columns.task }),
		collect(b, func(r *row) uint32 { return r.columns.attempt }),
		collect(b, func(r *row) string { return r.source }),
		collect(b, func(r *row) []byte { return r.attributes }),
		repeat(n, b.id),
		lines(n),
	}
	for i, column := range columns {
		if err := insert.Column(i).Append(column); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

func collect[T any](b *batch, field func(*row) T) []T {
	values := make([]T, len(b.rows))
	for i, r := range b.rows {
		values[i] = field(r)
	}
	return values
}

func repeat(n int, s string) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = s
	}
	return values
}

func lines(n int) []uint32 {
	values := make([]uint32, n)
	for i := range values {
		values[i] = uint32(i)
	}
	return values
}
