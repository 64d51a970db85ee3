package clickhouse

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// handler is a slog.Handler that writes into the sink.
type handler struct {
	sink *Sink
	// prefix are the encoded attributes of With, including the beginnings of their open groups.
	prefix []byte
	groups []string
	open   int
	// columns are the attributes of With that have a column.
	columns columns
}

// Handler returns the slog.Handler of the sink. The attributes request_id, trace_id, task_id and attempt outside of
// groups go to the columns of these names, all others as JSON to the column attributes.
func (s *Sink) Handler() slog.Handler { return &handler{sink: s} }

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.sink.level.Level()
}

// Handle implements slog.Handler. It never blocks on the network and never fails.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	if h.sink.ctx.Err() != nil {
		return nil // closed
	}
	r := newRow()
	r.at, r.level, r.message, r.columns = record.Time, record.Level.String(), record.Message, h.columns
	if r.at.IsZero() {
		r.at = time.Now()
	}
	if len(r.message) > maxText {
		r.message = strings.Clone(r.message[:maxText])
	}
	if h.sink.cfg.Source {
		r.source = source(record.PC)
	}
	h.encode(r, record)
	h.sink.add(r)
	return nil
}

// encode writes the JSON object of the attributes.
func (h *handler) encode(r *row, record slog.Record) {
	buf := append(append(r.attributes, '{'), h.prefix...)
	closing := h.open
	if record.NumAttrs() > 0 {
		before := len(buf)
		buf = openGroups(buf, h.groups[h.open:])
		opened := len(buf)
		top := len(h.groups) == 0
		record.Attrs(func(a slog.Attr) bool {
			if !top || !r.columns.take(a) {
				buf = appendAttr(buf, a)
			}
			return true
		})
		if len(buf) == opened { // empty groups are omitted
			buf = buf[:before]
		} else {
			closing = len(h.groups)
		}
	}
	for range closing {
		buf = append(buf, '}')
	}
	r.attributes = append(buf, '}')
	if len(r.attributes) > maxText {
		r.attributes = append(r.attributes[:0], `{"omitted":"attributes of more than 256 KiB"}`...)
	}
}

func openGroups(buf []byte, groups []string) []byte {
	for _, name := range groups {
		buf = append(appendKey(buf, name), '{')
	}
	return buf
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *h
	buf := openGroups(slices.Clip(h.prefix), h.groups[h.open:])
	opened := len(buf)
	for _, a := range attrs {
		if len(h.groups) > 0 || !clone.columns.take(a) {
			buf = appendAttr(buf, a)
		}
	}
	if len(buf) > opened {
		clone.prefix, clone.open = buf, len(h.groups)
	}
	return &clone
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	clone := *h
	clone.groups = append(slices.Clip(h.groups), name)
	return &clone
}
