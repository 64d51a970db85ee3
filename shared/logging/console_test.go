package logging

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestConsole shows the lines without their colours and times.
func TestConsole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(&contextual{next: newConsole(&out, slog.LevelDebug, false)})
	log.Info("short", "a", 1, "b", "two words", "empty", "")
	log.With("x", time.Minute).WithGroup("g").Warn("a message that is longer than the column for messages", "e", errors.New("no\ngood"), slog.Group("h", "k", true))
	log.Debug("plain")
	log.Error("aligned", "at", time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	want := []string{
		`INFO  short                                    a=1 b="two words" empty=""`,
		`WARN  a message that is longer than the column for messages x=1m0s g.e="no\ngood" g.h.k=true`,
		`DEBUG plain`,
		`ERROR aligned                                  at=2026-01-02T03:04:05.000000006Z`,
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if !strings.Contains(line, "\x1b[") {
			t.Errorf("no colour in %q", line)
		}
		for _, c := range []string{grey, red, green, yellow, blue, plainColour} {
			line = strings.ReplaceAll(line, c, "")
		}
		if got := line[len("15:04:05.000 "):]; got != want[i] {
			t.Errorf("line\n%s\nwant\n%s", got, want[i])
		}
	}
}

func TestColoured(t *testing.T) {
	for _, c := range []struct {
		no, force string
		want      bool
	}{{"", "", false}, {"", "1", true}, {"1", "1", false}} {
		t.Setenv("NO_COLOR", c.no)
		t.Setenv("FORCE_COLOR", c.force)
		if got := coloured(new(bytes.Buffer)); got != c.want {
			t.Errorf("NO_COLOR=%s FORCE_COLOR=%s: %v", c.no, c.force, got)
		}
	}
}
