package clickhouse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

// attributesOf returns the stored attributes of a line that use logs.
func attributesOf(t *testing.T, use func(*slog.Logger)) string {
	t.Helper()
	s := idle(t)
	use(slog.New(s.Handler()))
	return string(s.buf.pop().attributes)
}

// idle returns a sink whose sender does not wake for a line or two.
func idle(t testing.TB) *Sink {
	t.Helper()
	s := &Sink{cfg: Config{BatchSize: math.MaxInt, Source: true}, level: slog.LevelInfo, wake: make(chan struct{}, 1), ctx: context.Background()}
	s.buf.init(100, maxBytes)
	return s
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.GroupValue(slog.Int("x", 1)) }

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("oh") }

// TestLikeSlog compares the attributes with those of slog's JSON handler.
func TestLikeSlog(t *testing.T) {
	t.Parallel()
	for i, use := range []func(*slog.Logger){
		func(l *slog.Logger) { l.Info("m") },
		func(l *slog.Logger) {
			l.Info("m", "s", "a\"\\\n\t\r\x00\x1f\x7fü€😀", "i", -1, "u", uint64(math.MaxUint64))
		},
		func(l *slog.Logger) { l.Info("m", "invalid", "a\xffb\u2028c\u2029") },
		func(l *slog.Logger) { l.Info("m", "f", 1.5, "b", true, "d", time.Second, "t", time.Unix(1, 5).UTC()) },
		func(l *slog.Logger) {
			l.Info("m", "v", valuer{}, "e", errors.New("x"), "nil", nil, "m", map[string]any{"k": []int{1}})
		},
		func(l *slog.Logger) {
			l.Info("m", slog.Group("g", "a", 1, slog.Group("h", "b", 2)), slog.Group("empty"), slog.Group("", "inline", 1))
		},
		func(l *slog.Logger) { l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").Info("m", "c", 3) },
		func(l *slog.Logger) { l.WithGroup("g").Info("m") },
		func(l *slog.Logger) { l.With("a", 1).WithGroup("g").WithGroup("h").Info("m", slog.Attr{}) },
		func(l *slog.Logger) { l.WithGroup("g").WithGroup("h").With("a", 1).WithGroup("i").Info("m") },
		func(l *slog.Logger) { l.WithGroup("g").Info("m", "task_id", "in a group") },
	} {
		var out bytes.Buffer
		use(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey && a.Value.Kind() == slog.KindString && a.Value.String() == "m") {
				return slog.Attr{}
			}
			return a
		}})))
		if got, want := attributesOf(t, use), strings.TrimSpace(out.String()); got != want {
			t.Errorf("%d: %s, slog writes %s", i, got, want)
		}
	}
}

func TestWhatJSONHasNot(t *testing.T) {
	t.Parallel()
	got := attributesOf(t, func(l *slog.Logger) {
		l.Info("m", "nan", math.NaN(), "inf", math.Inf(-1), "c", make(chan int), "p", panicking{})
	})
	if !json.Valid([]byte(got)) || !strings.Contains(got, "!PANIC: oh") || !strings.Contains(got, "!ERROR: json: unsupported type: chan int") {
		t.Errorf("attributes %s", got)
	}
}

func TestColumnsThatAreNone(t *testing.T) {
	t.Parallel()
	got := attributesOf(t, func(l *slog.Logger) { l.Info("m", "attempt", -1, "task_id", fmt.Sprint(7)) })
	if got != `{"attempt":-1}` {
		t.Errorf("attributes %s", got)
	}
}

func TestLongTextsAreBounded(t *testing.T) {
	t.Parallel()
	s := idle(t)
	slog.New(s.Handler()).Info(strings.Repeat("x", 1<<20), "a", strings.Repeat("y", 1<<20))
	r := s.buf.pop()
	if len(r.message) != maxText || !json.Valid(r.attributes) || len(r.attributes) > maxText {
		t.Errorf("message of %d, attributes of %d bytes", len(r.message), len(r.attributes))
	}
	if r.reset(); cap(r.attributes) > maxKept {
		t.Errorf("%d bytes are kept", cap(r.attributes))
	}
}

func TestBufferDropsTheOldest(t *testing.T) {
	t.Parallel()
	var b buffer
	b.init(3, 1000)
	for i := range 5 {
		r := newRow()
		r.message = fmt.Sprint(i)
		b.push(r)
	}
	if b.n != 3 || b.dropped != 2 || b.rows[b.head].message != "2" {
		t.Errorf("%d lines from %s, %d dropped", b.n, b.rows[b.head].message, b.dropped)
	}
	long := newRow()
	long.message = strings.Repeat("x", 800)
	b.push(long)
	if b.n != 1 || b.dropped != 5 {
		t.Errorf("%d lines, %d dropped", b.n, b.dropped)
	}
}

// TestHandlerContract runs the standard library's checks of a slog.Handler.
func TestHandlerContract(t *testing.T) {
	t.Parallel()
	var s *Sink
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		s = idle(t)
		return s.Handler()
	}, func(t *testing.T) map[string]any {
		r := s.buf.pop()
		m := map[string]any{slog.TimeKey: r.at, slog.LevelKey: r.level, slog.MessageKey: r.message}
		if t.Name() == "TestHandlerContract/zero-time" {
			delete(m, slog.TimeKey) // a column cannot be omitted
		}
		if err := json.Unmarshal(r.attributes, &m); err != nil {
			t.Fatal(err)
		}
		return m
	})
}
