package stack

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// console writes the terminal's lines: the stack's own steps, and the functions' logs, each marked with its function.
// It is safe for concurrent use and never mixes two lines. At a terminal, structured lines are made readable.
type console struct {
	mu       sync.Mutex
	out      io.Writer
	line     bytes.Buffer
	width    int
	terminal bool
	color    bool
}

// colors tell functions apart on a terminal: the ANSI foregrounds that read well on dark and light.
var colors = []string{"36", "33", "35", "32", "34"}

func newConsole(out io.Writer) *console {
	terminal := isTerminal(out)
	return &console{out: out, width: 10, terminal: terminal, color: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step writes a line about what the stack itself does.
func (c *console) step(subject, format string, args ...any) {
	c.write(subject, "1", fmt.Appendf(nil, format, args...))
}

// progress is how often a step that takes long says that it is still at work.
const progress = 10 * time.Second

// timed does a step of the stack: it writes that it begins, every while that it goes on, and how long it took.
func (c *console) timed(what string, do func() error) error {
	start := time.Now()
	c.step("stack", "%s …", what)
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		tick := time.NewTicker(progress)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				c.step("stack", "%s … %s", what, time.Since(start).Round(time.Second))
			}
		}
	})
	err := do()
	close(done)
	telling.Wait()
	if err == nil {
		c.step("stack", "%s: done in %s", what, time.Since(start).Round(time.Millisecond))
	}
	return err
}

// log writes one line of a function's log.
func (c *console) log(function string, line []byte) {
	sum := 0
	for _, b := range []byte(function) {
		sum += int(b)
	}
	if c.terminal {
		line = readable(line, c.color)
	}
	c.write(function, colors[sum%len(colors)], line)
}

func (c *console) write(mark, color string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.width = max(c.width, len(mark))
	c.line.Reset()
	if c.color {
		fmt.Fprintf(&c.line, "\x1b[%sm%-*s │\x1b[0m ", color, c.width, mark)
	} else {
		c.line.WriteString(mark)
		c.line.WriteString(strings.Repeat(" ", c.width-len(mark)))
		c.line.WriteString(" │ ")
	}
	c.line.Write(text)
	c.line.WriteByte('\n')
	_, _ = c.out.Write(c.line.Bytes())
}

// print writes text as it is.
func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.out, text)
}
