package clickhouse

import "time"

// buffer is a ring of lines that drops the oldest when it is full. It is not safe for concurrent use.
type buffer struct {
	rows     []*row
	head, n  int
	bytes    int
	maxBytes int
	dropped  uint64
}

func (b *buffer) init(size, maxBytes int) { b.rows, b.maxBytes = make([]*row, size), maxBytes }

// push appends a line. If the buffer is full, it drops the oldest ones.
func (b *buffer) push(r *row) {
	size := r.size()
	for b.n == len(b.rows) || b.n > 0 && b.bytes+size > b.maxBytes {
		b.pop().free()
		b.dropped++
	}
	b.rows[(b.head+b.n)%len(b.rows)] = r
	b.n++
	b.bytes += size
}

func (b *buffer) pop() *row {
	r := b.rows[b.head]
	b.rows[b.head] = nil
	b.head = (b.head + 1) % len(b.rows)
	b.n--
	b.bytes -= r.size()
	return r
}

// oldest returns when the first line was logged.
func (b *buffer) oldest() time.Time { return b.rows[b.head].at }

// take moves up to max lines of one month to rows: an insert into one partition is stored as a whole or not at all.
func (b *buffer) take(rows []*row, max int) []*row {
	for b.n > 0 && len(rows) < max {
		if len(rows) > 0 && month(b.oldest()) != month(rows[0].at) {
			break
		}
		rows = append(rows, b.pop())
	}
	return rows
}

func month(t time.Time) int {
	year, month, _ := t.UTC().Date()
	return year*12 + int(month)
}
