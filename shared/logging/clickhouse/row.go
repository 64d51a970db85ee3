package clickhouse

import (
	"log/slog"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// row is one line of the table logs. Its texts are the caller's strings, which are immutable. Only the attributes are
// encoded, into a reused slice.
type row struct {
	at         time.Time
	level      string
	message    string
	source     string
	columns    columns
	attributes []byte
}

// columns are the attributes that have a column of their own.
type columns struct {
	request, trace, task string
	attempt              uint32
}

// maxText is the longest text of a line. ClickHouse accepts more, but one line must not fill the buffer.
const maxText = 256 << 10

// maxKept is the largest slice that is reused: one long line must not stay in memory for ever.
const maxKept = 16 << 10

var rows = sync.Pool{New: func() any { return new(row) }}

func newRow() *row { return rows.Get().(*row) }

// free returns the row for reuse.
func (r *row) free() {
	r.reset()
	rows.Put(r)
}

// reset empties the row and keeps its memory, unless that is large.
func (r *row) reset() {
	attributes := r.attributes[:0]
	if cap(attributes) > maxKept {
		attributes = nil
	}
	*r = row{attributes: attributes}
}

// size estimates the row's memory.
func (r *row) size() int {
	return 256 + len(r.message) + len(r.attributes) + len(r.columns.request) + len(r.columns.trace) + len(r.columns.task)
}

// take puts an attribute into its column and reports whether it has one.
func (c *columns) take(a slog.Attr) bool {
	switch a.Key {
	case "request_id":
		c.request = plain(a.Value)
	case "trace_id":
		c.trace = plain(a.Value)
	case "task_id":
		c.task = plain(a.Value)
	case "attempt":
		n, ok := whole(a.Value)
		if !ok {
			return false
		}
		c.attempt = n
	default:
		return false
	}
	return true
}

func plain(v slog.Value) string { return v.Resolve().String() }

func whole(v slog.Value) (uint32, bool) {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindInt64:
		n := v.Int64()
		return uint32(n), n >= 0 && n <= 1<<32-1
	case slog.KindUint64:
		n := v.Uint64()
		return uint32(n), n <= 1<<32-1
	default:
		return 0, false
	}
}

// sources caches the places of callers' program counters; few places in a program log.
var sources sync.Map // uintptr → string

// source returns folder/file.go:line of a program counter.
func source(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	if s, ok := sources.Load(pc); ok {
		return s.(string)
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	s := filepath.Join(filepath.Base(filepath.Dir(frame.File)), filepath.Base(frame.File)) + ":" + strconv.Itoa(frame.Line)
	sources.Store(pc, s)
	return s
}
