package lambda

import "bytes"

// tailSize is how much of an invocation's log Lambda returns with X-Amz-Log-Type: Tail, in bytes.
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
