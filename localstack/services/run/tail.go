package run

import (
	"bytes"
	"strings"
	"sync"
)

// tailLines is the number of lines that an error message quotes.
const tailLines = 12

// tail is an io.Writer for the output of a program. It keeps the last lines and passes complete lines on.
type tail struct {
	mu      sync.Mutex
	log     func(line string) // may be nil
	partial []byte
	last    []string
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = append(t.partial, p...)
	for {
		i := bytes.IndexByte(t.partial, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := strings.TrimRight(string(t.partial[:i]), "\r")
		t.partial = t.partial[i+1:]
		if t.last = append(t.last, line); len(t.last) > tailLines {
			t.last = t.last[1:]
		}
		if t.log != nil {
			t.log(line)
		}
	}
}

// follow passes each further line to log.
func (t *tail) follow(log func(line string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = log
}

// String returns the last lines, including an incomplete one, without a final newline.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.last
	if len(t.partial) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(t.partial))
	}
	return strings.Join(lines, "\n")
}
