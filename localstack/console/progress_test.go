package console

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLongStepsShowProgress(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	steps := func(c *Console) {
		if err := c.Timed("build", func() error { <-time.After(25 * time.Second); return nil }); err != nil {
			t.Error(err)
		}
		if err := c.Timed("start", func() error { return broken }); !errors.Is(err, broken) {
			t.Errorf("Timed = %v; want the error of the step", err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		steps(New(&out, Options{}))
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

// TestProgressIsOneLine checks a terminal: the steps in progress share one line, below all others.
func TestProgressIsOneLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := New(&out, Options{Format: true})
		c.terminal.live = true
		expect := func(want string) {
			t.Helper()
			c.mu.Lock()
			defer c.mu.Unlock()
			if out.String() != want {
				t.Errorf("%q, want %q", out.String(), want)
			}
			out.Reset()
		}
		err := c.Timed("build "+string(make([]byte, 1)), func() error {
			expect(`build \u0000 …`)
			_ = c.Timed("start a server with a long, long name that does not fit beside the other one", func() error {
				expect("\r\x1b[Kbuild \\u0000 …, start a server with a long, long nam …")
				c.Log("f", []byte("hello"))
				expect("\r\x1b[K         f       hello\nbuild \\u0000 …, start a server with a long, long nam …")
				return errors.New("broken")
			})
			expect("\r\x1b[Kbuild \\u0000 …")
			<-time.After(1500 * time.Millisecond)
			expect("\r\x1b[Kbuild \\u0000 … 1s")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		expect("\r\x1b[K         stack   build \\u0000: done in 1.5s\n")
	})
}
