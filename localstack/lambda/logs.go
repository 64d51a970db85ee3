package lambda

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"syscall"
	"unicode/utf8"
)

// maxLine is the maximum length of a line in bytes. Longer lines are split. The limit of Lambda is the 256 KB of a
// CloudWatch event.
const maxLine = 64 << 10

// logs reads the output of an environment line by line and adds Lambda's own lines.
//
// The last lines of a function and its call of /next take different ways. The call causes the END line, which must follow
// the last lines. Hence drain empties the pipe first: it has everything that the process wrote before its call. The reading
// goroutine and drain may run at once; mu covers reading and passing on together, so no line is between the two.
type logs struct {
	function string
	emit     func(function string, line []byte)
	file     *os.File
	pipe     syscall.RawConn
	done     chan struct{} // closed when the reading goroutine has ended

	mu      sync.Mutex // guards the rest and the order of the lines
	chunk   []byte
	partial []byte // a line whose end has not been read
	tail    tail
	scratch []byte // for Lambda's own lines
}

// readLogs reads from the reading end of a pipe until close.
func readLogs(file *os.File, function string, emit func(string, []byte)) (*logs, error) {
	pipe, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read the log: %w", err)
	}
	l := &logs{function: function, emit: emit, file: file, pipe: pipe, done: make(chan struct{}),
		chunk: make([]byte, 8<<10)}
	go func() {
		defer close(l.done)
		// Read waits in the poller of the Go runtime while take returns false. It fails when the file is closed.
		_ = pipe.Read(func(fd uintptr) bool { return l.take(fd) })
	}()
	return l, nil
}

// drain passes on everything in the pipe.
func (l *logs) drain() {
	_ = l.pipe.Control(func(fd uintptr) { l.take(fd) }) // it fails for a closed file, which is empty
}

// take reads until the pipe is empty. It reports whether the pipe is at its end.
func (l *logs) take(fd uintptr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		n, err := syscall.Read(int(fd), l.chunk)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case err != nil || n == 0:
			return true
		default:
			l.split(l.chunk[:n])
		}
	}
}

// split passes on the lines in text. The caller holds mu, as for cut, flush and line.
func (l *logs) split(text []byte) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		if end >= 0 && len(l.partial) == 0 && end <= maxLine {
			l.line(text[:end])
			text = text[end+1:]
			continue
		}
		piece := text
		if end >= 0 {
			piece = text[:end]
		}
		room := maxLine - len(l.partial)
		if len(piece) > room {
			l.partial = append(l.partial, piece[:room]...)
			text = text[room:]
			l.cut()
			continue
		}
		l.partial = append(l.partial, piece...)
		if end < 0 {
			return
		}
		l.flush()
		text = text[end+1:]
	}
}

// cut passes on the first part of a line that is too long. It does not cut through a character.
func (l *logs) cut() {
	end := len(l.partial)
	for back := 1; back < utf8.UTFMax; back++ {
		if at := end - back; utf8.RuneStart(l.partial[at]) {
			if !utf8.FullRune(l.partial[at:]) {
				end = at
			}
			break
		}
	}
	l.line(l.partial[:end])
	l.partial = append(l.partial[:0], l.partial[end:]...)
}

// flush passes on the partial line.
func (l *logs) flush() {
	if len(l.partial) > 0 {
		l.line(l.partial)
		l.partial = l.partial[:0]
	} else {
		l.line(nil)
	}
}

func (l *logs) line(line []byte) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	l.tail.add(line)
	l.emit(l.function, line)
}

// last returns the last lines.
func (l *logs) last(lines int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.lines(lines)
}

// close ends the reading. It passes on a partial line.
func (l *logs) close() {
	_ = l.file.Close()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.flush()
	}
}

// tailSize is the number of bytes of a log that Lambda returns with X-Amz-Log-Type: Tail.
const tailSize = 4 << 10

// tail keeps the end of a log.
type tail struct{ text []byte }

func (t *tail) add(line []byte) {
	if over := len(line) - tailSize; over > 0 {
		line = line[over:]
	}
	if len(t.text)+len(line) >= 2*tailSize { // rarely, so that moving costs little
		kept := t.text[max(0, len(t.text)-tailSize):]
		t.text = t.text[:copy(t.text, kept)]
	}
	t.text = append(t.text, line...)
	t.text = append(t.text, '\n')
}

func (t *tail) reset() { t.text = t.text[:0] }

// bytes returns a copy.
func (t *tail) bytes() []byte { return bytes.Clone(t.text[max(0, len(t.text)-tailSize):]) }

// lines returns the last lines.
func (t *tail) lines(count int) string {
	text := t.text
	for at := len(text) - 1; at > 0; at-- {
		if text[at-1] == '\n' {
			if count--; count == 0 {
				return string(text[at:])
			}
		}
	}
	return string(text)
}
