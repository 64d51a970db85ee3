// Package console writes what a person sees of a local stack: its own steps, the log lines of its functions and one line
// for each invocation. At a terminal it formats log lines that are JSON objects, of whatever logger, and hides what only
// machines read. Elsewhere each line stays as it was written, behind the name of its function. No control character of
// a function, or of a client of one, reaches the terminal.
package console

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Options configure a Console. The zero value formats at a terminal and shows information and above.
type Options struct {
	// Level is the lowest level that a terminal shows. Lines without a level are always shown. Below slog.LevelInfo, a
	// terminal also shows START, END and REPORT lines, scheduled invocations and hidden members. Default: info.
	Level slog.Level
	// Hide names members of log lines that a terminal does not show, beyond those that are the same in most lines, such
	// as request_id. Default: none.
	Hide []string
	// Format formats lines even if the output is not a terminal.
	Format bool
	// Now is the time of lines that do not have one. Nil leaves their time blank.
	Now func() time.Time
}

// Console writes lines. Its methods may be called from any goroutine and never mix two lines. The zero value is not
// usable; see New.
type Console struct {
	options  Options
	hidden   map[string]bool
	terminal terminal

	mu      sync.Mutex // guards the rest
	out     io.Writer
	names   int // the width of the names' column
	line    []byte
	running []*running // steps in progress
	drawn   bool       // the progress line is on the screen
}

// New returns a Console that writes to out.
func New(out io.Writer, o Options) *Console {
	c := &Console{options: o, hidden: map[string]bool{}, terminal: terminalOf(out), out: out}
	for _, name := range recurring {
		c.hidden[name] = true
	}
	for _, name := range o.Hide {
		c.hidden[name] = true
	}
	if c.formats() {
		c.names = 7
	} else {
		c.names = 10
	}
	return c
}

// formats reports whether lines are made readable.
func (c *Console) formats() bool { return c.terminal.is || c.options.Format }

// detailed reports whether nothing is hidden.
func (c *Console) detailed() bool { return c.options.Level < slog.LevelInfo }

// Step writes what the stack itself does or reports, under the name of one of its parts.
func (c *Console) Step(part, format string, args ...any) {
	for text := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		c.write(c.now(), part, bold, plain(text))
	}
}

// Log writes a line that a function, or a server of the stack, has written. If function is empty, the line itself may name
// it in a member function or function_name.
func (c *Console) Log(function string, line []byte) {
	if !c.formats() {
		c.write("", function, colorOf(function), []span{{text: line}})
		return
	}
	e, ok := parse(line)
	if function == "" {
		function = e.function
	}
	switch {
	case !ok && !c.detailed() && bookkeeping(line):
	case !ok:
		c.write(c.now(), function, colorOf(function), []span{{text: line}})
	case c.shows(e):
		at := e.clock()
		if at == "" {
			at = c.now()
		}
		c.write(at, function, colorOf(function), e.spans(c.hides))
	}
}

// Print writes lines as they are, but for their control characters.
func (c *Console) Print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.line = append(c.line, Clean(text)...)
	c.flush()
}

// shows reports whether a log line is for a person at this level.
func (c *Console) shows(e entry) bool {
	return c.detailed() || !e.metrics && (e.label == "" || e.level >= c.options.Level)
}

// hides reports whether a member is left out.
func (c *Console) hides(member string) bool { return !c.detailed() && c.hidden[member] }

// now is the time of a line that does not have one.
func (c *Console) now() string {
	if c.options.Now == nil {
		return ""
	}
	return c.options.Now().Local().Format(time.TimeOnly)
}

// write writes one line: the time, the name in its color, and the text.
func (c *Console) write(at, name, color string, text []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.appendPrefix(at, name, color)
	for _, s := range text {
		c.append(s)
	}
	if c.formats() {
		c.line = bytes.TrimRight(c.line, " ")
	}
	c.line = append(c.line, '\n')
	c.flush()
}

// appendPrefix adds the columns before the text. The caller holds mu.
func (c *Console) appendPrefix(at, name, color string) {
	if !c.formats() {
		c.names = max(c.names, len(name))
		c.append(span{color, fmt.Appendf(nil, "%-*s │ ", c.names, name)})
		return
	}
	name, width := shortName(name), c.terminal.width()
	if width >= narrow {
		c.append(span{grey, fmt.Appendf(nil, "%-*s ", len(time.TimeOnly), at)})
	}
	c.append(span{color, fmt.Appendf(nil, "%-*s ", c.widen(name, width), name)})
}

// shortName is the name of a function without the suffix that logical ids in SAM templates have by convention.
func shortName(name string) string {
	if short := strings.TrimSuffix(name, "Function"); short != "" {
		return short
	}
	return name
}

// widen makes room for a name, within a fifth of the width, and returns the width of the names' column. The caller holds
// mu.
func (c *Console) widen(name string, width int) int {
	c.names = max(c.names, min(len(name), width/5))
	return c.names
}

// room returns how many columns a line has behind its time and its name.
func (c *Console) room(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, width := shortName(name), c.terminal.width()
	room := width - max(c.widen(name, width), len(name)) - 1
	if width >= narrow {
		room -= len(time.TimeOnly) + 1
	}
	return room
}

// append adds a span, without its control characters. Only here do foreign bytes get into a line. The caller holds mu.
func (c *Console) append(s span) {
	if s.color == "" || !c.terminal.color {
		c.line = appendClean(c.line, s.text)
		return
	}
	c.line = append(append(append(c.line, "\x1b["...), s.color...), 'm')
	c.line = append(appendClean(c.line, s.text), "\x1b[0m"...)
}

// begin starts a line in place of the progress line. The caller holds mu, as for flush.
func (c *Console) begin() {
	c.line = c.line[:0]
	if c.drawn {
		c.line = append(c.line, eraseLine...)
		c.drawn = false
	}
}

// flush writes the line, and the progress line below it again.
func (c *Console) flush() {
	c.appendProgress()
	_, _ = c.out.Write(c.line)
}
