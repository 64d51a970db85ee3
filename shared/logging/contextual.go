package logging

import (
	"context"
	"log/slog"
	"slices"
)

// contextual adds the context's attributes, always outside of groups, and structures errors.
type contextual struct {
	next slog.Handler
	// groups are those of WithGroup, with the attributes that followed each. next does not know them; otherwise the
	// context's attributes would end up in a group.
	groups []group
}

type group struct {
	name  string
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *contextual) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *contextual) Handle(ctx context.Context, record slog.Record) error {
	var space [6]slog.Attr
	known := attributes(ctx, space[:0])
	if len(h.groups) == 0 && !hasError(record) {
		if len(known) > 0 {
			record = record.Clone()
			record.AddAttrs(known...)
		}
		return h.next.Handle(ctx, record)
	}
	own := make([]slog.Attr, 0, record.NumAttrs())
	record.Attrs(func(a slog.Attr) bool {
		own = append(own, structured(a))
		return true
	})
	for _, g := range slices.Backward(h.groups) {
		own = []slog.Attr{{Key: g.name, Value: slog.GroupValue(append(slices.Clip(g.attrs), own...)...)}}
	}
	out := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	out.AddAttrs(own...)
	out.AddAttrs(known...)
	return h.next.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (h *contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	list := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		list[i] = structured(a)
	}
	if len(h.groups) == 0 {
		return &contextual{next: h.next.WithAttrs(list)}
	}
	groups := slices.Clone(h.groups)
	last := &groups[len(groups)-1]
	last.attrs = append(slices.Clip(last.attrs), list...)
	return &contextual{next: h.next, groups: groups}
}

// WithGroup implements slog.Handler.
func (h *contextual) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &contextual{next: h.next, groups: append(slices.Clip(h.groups), group{name: name})}
}
