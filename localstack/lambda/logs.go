package lambda

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"syscall"
	"unicode/utf8"
)

// maxLine is the longest line that is passed on whole, in bytes; longer ones are split. Lambda's own limit is the 256 KB
// of a CloudWatch event.
const maxLine = 64 << 10

// logs reads what an environment writes, line by line, and mixes in Lambda's own lines.
//
// A function's last lines and its request for the next invocation come by different ways. So that the former are never
// later in the log than the END line, which the latter causes, drain reads everything that is in the pipe: what a
// process wrote before its request is there by then. The reading goroutine and drain may meet; mu covers reading and
// passing on together, so nothing is ever between the two.
type logs struct {
	function string
	emit     func(function string, line []byte)
	file     *os.File
	pipe     syscall.RawConn
	done     chan struct{} // closed when the reading goroutine has ended

	mu      sync.Mutex // guards the rest, and keeps the lines in order
	chunk   []byte
	partial []byte // a line without its end
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
		// Read waits in the runtime's poller as long as take returns false, and fails when the file is closed.
		_ = pipe.Read(func(fd uintptr) bool { return l.take(fd) })
	}()
	return l, nil
}

// drain passes on all that is in the pipe.
func (l *logs) drain() {
	_ = l.pipe.Control(func(fd uintptr) { l.take(fd) }) // it fails on a closed file, which has nothing more
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

// split passes on the lines in text. The caller holds mu, as for all below.
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

// cut passes on a line that is too long so far, without its last character if that is not complete yet.
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

// flush passes on what there is of a line.
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

// last is the last lines.
func (l *logs) last(lines int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.lines(lines)
}

// close ends the reading. A line without its end is passed on.
func (l *logs) close() {
	_ = l.file.Close()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.flush()
	}
}
