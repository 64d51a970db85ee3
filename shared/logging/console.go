package logging

import (
	"context"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// coloured says whether w is a terminal that wants colours: NO_COLOR (https://no-color.org) takes them away, FORCE_COLOR
// gives them where the terminal is behind a pipe, as that of the local stack is.
func coloured(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if os.Getenv("FORCE_COLOR") != "" {
		return true
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const (
	grey, red, green, yellow, blue, plainColour = "\x1b[90m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[0m"
	// messageWidth is where the attributes begin, unless the message is longer.
	messageWidth = 40
)

// console writes lines for people: time, level, message, then the attributes, aligned, and coloured unless it is plain.
type console struct {
	mu     *sync.Mutex // of w, shared by all that With made
	w      io.Writer
	level  slog.Level
	source bool
	plain  bool
	prefix string // attributes of With
	group  string // open groups, each with a dot
}

// NewConsole returns a handler of all levels that writes aligned text for people, in colours where w is a terminal.
func NewConsole(w io.Writer) slog.Handler {
	return &console{mu: new(sync.Mutex), w: w, level: math.MinInt, plain: !coloured(w)}
}

func newConsole(w io.Writer, level slog.Level, source bool) slog.Handler {
	return &console{mu: new(sync.Mutex), w: w, level: level, source: source}
}

// in returns a text in a colour.
func (c *console) in(colour, text string) string {
	if c.plain {
		return text
	}
	return colour + text + plainColour
}

// Enabled implements slog.Handler.
func (c *console) Enabled(_ context.Context, level slog.Level) bool { return level >= c.level }

// Handle implements slog.Handler.
func (c *console) Handle(_ context.Context, record slog.Record) error {
	var b strings.Builder
	if !record.Time.IsZero() {
		b.WriteString(c.in(grey, record.Time.Local().Format("15:04:05.000")) + " ")
	}
	fmt.Fprintf(&b, "%s %s", c.in(colour(record.Level), fmt.Sprintf("%-5s", record.Level)), record.Message)
	if missing := messageWidth - utf8.RuneCountInString(record.Message); missing > 0 && (c.prefix != "" || record.NumAttrs() > 0) {
		b.WriteString(strings.Repeat(" ", missing))
	}
	b.WriteString(c.prefix)
	record.Attrs(func(a slog.Attr) bool {
		c.writeAttr(&b, c.group, a)
		return true
	})
	if c.source && record.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{record.PC}).Next()
		b.WriteString(" " + c.in(grey, short(frame.File, frame.Line)))
	}
	b.WriteByte('\n')
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := io.WriteString(c.w, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		c.writeAttr(&b, c.group, a)
	}
	clone := *c
	clone.prefix += b.String()
	return &clone
}

// WithGroup implements slog.Handler.
func (c *console) WithGroup(name string) slog.Handler {
	if name == "" {
		return c
	}
	clone := *c
	clone.group += name + "."
	return &clone
}

func colour(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	case level >= slog.LevelInfo:
		return green
	default:
		return blue
	}
}

func (c *console) writeAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range v.Group() {
			c.writeAttr(b, group, member)
		}
		return
	}
	if a.Key == "" && v.Any() == nil {
		return
	}
	text := valueText(v)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || !strconv.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	b.WriteString(" " + c.in(grey, group+a.Key+"=") + text)
}

func valueText(v slog.Value) string {
	if v.Kind() == slog.KindTime {
		return v.Time().Format(time.RFC3339Nano)
	}
	if v.Kind() == slog.KindAny {
		switch x := v.Any().(type) {
		case error:
			return message(x)
		case encoding.TextMarshaler:
			if text, err := x.MarshalText(); err == nil {
				return string(text)
			}
		}
	}
	return v.String()
}

// short is folder/file.go:line.
func short(file string, line int) string {
	return filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)) + ":" + strconv.Itoa(line)
}

// shortSource makes the built-in attribute source short; the whole path is that of the machine that built the program.
func shortSource(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 || a.Key != slog.SourceKey || a.Value.Kind() != slog.KindAny {
		return a
	}
	if source, ok := a.Value.Any().(*slog.Source); ok {
		a.Value = slog.StringValue(short(source.File, source.Line))
	}
	return a
}
