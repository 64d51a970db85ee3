package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"
)

// key tells lines apart.
type key struct {
	batch  string
	number uint32
}

// line is a row of the table logs, without what is of no interest to a person.
type line struct {
	key
	at         time.Time
	level      string
	function   string
	message    string
	task       string
	attempt    uint32
	attributes string
}

// print writes a line: time, level, function, message, attributes.
func (r *reader) print(ctx context.Context, l line) error {
	r.widen(l)
	record := slog.NewRecord(l.at, level(l.level), fmt.Sprintf("%-*s  %s", r.width, l.function, l.message), 0)
	if l.task != "" {
		record.AddAttrs(slog.String("task_id", l.task))
	}
	if l.attempt != 0 {
		record.AddAttrs(slog.Uint64("attempt", uint64(l.attempt)))
	}
	record.AddAttrs(members(l.attributes)...)
	return r.out.Handle(ctx, record)
}

// widen makes room for a line's function.
func (r *reader) widen(l line) { r.width = max(r.width, utf8.RuneCountInString(l.function)) }

// level reads what slog.Level writes; a level that it does not know is information.
func level(text string) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(text))
	return l
}

// members are those of a JSON object in their order: strings as they are, an error's layers as its message had them, and
// everything else as JSON.
func members(object string) (list []slog.Attr) {
	d := json.NewDecoder(bytes.NewReader([]byte(object)))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return list
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return list
		}
		var text string
		var layers []string
		switch {
		case json.Unmarshal(value, &text) == nil:
		case json.Unmarshal(value, &layers) == nil:
			text = strings.Join(layers, ": ")
		default:
			text = string(value)
		}
		list = append(list, slog.String(fmt.Sprint(name), text))
	}
	return list
}
