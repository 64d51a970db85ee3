package stack

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	stamp, clock := at.Format(time.RFC3339Nano), at.Local().Format("15:04:05.000")
	for line, want := range map[string]string{
		`{"time":"` + stamp + `","level":"INFO","source":"a/b.go:7","msg":"hello","function":"f","n":1,"text":"two words","request_id":"r"}`: clock + ` INFO  hello                                    n=1 text="two words" source=a/b.go:7 function=f request_id=r`,
		`{"timestamp":"` + stamp + `","level":"ERROR","requestId":"r","message":"Lambda's form","error":["a","b"],"o":{"k":null}}`:           clock + ` ERROR Lambda's form                            error=["a","b"] o={"k":null} requestId=r`,
		`{"time":"then","level":"WARN","msg":"no more"}`:   `then WARN  no more`,
		`{"time":"then","level":"WARN","msg":"a\n\u001b"}`: `then WARN  "a\n\x1b"`,
		`{"level":"INFO","n":1}`:                           `{"level":"INFO","n":1}`,
		`{"level":"INFO","msg":"cut`:                       `{"level":"INFO","msg":"cut`,
		`START RequestId: 7`:                               `START RequestId: 7`,
		``:                                                 ``,
	} {
		if got := string(readable([]byte(line), false)); got != want {
			t.Errorf("%s becomes\n%s\nwant\n%s", line, got, want)
		}
	}
	colored := string(readable([]byte(`{"level":"ERROR","msg":"m","a":1}`), true))
	if !strings.Contains(colored, "\x1b[31mERROR\x1b[0m m") || !strings.Contains(colored, "\x1b[90ma=\x1b[0m1") {
		t.Errorf("colored %q", colored)
	}
}

// TestLinesOutsideATerminal stay what the functions wrote, for those who search them.
func TestLinesOutsideATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	const line = `{"level":"INFO","msg":"m"}`
	newConsole(&out).log("f", []byte(line))
	if want := "f          │ " + line + "\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	(&console{out: &out, width: 1, terminal: true}).log("f", []byte(line))
	if want := "f │  INFO  m\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestLongStepsShowProgress: a person at a terminal sees that a step is still at work.
func TestLongStepsShowProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := newConsole(&out)
		if err := c.timed("build", func() error { <-time.After(25 * time.Second); return nil }); err != nil {
			t.Error(err)
		}
		broken := errors.New("broken")
		if err := c.timed("start", func() error { return broken }); err != broken {
			t.Errorf("timed = %v; want the step's own error", err)
		}
		const want = `stack      │ build …
stack      │ build … 10s
stack      │ build … 20s
stack      │ build: done in 25s
stack      │ start …
`
		if out.String() != want {
			t.Errorf("the console shows\n%s\nwant\n%s", out.String(), want)
		}
	})
}
