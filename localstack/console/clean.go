package console

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Clean returns text with its control characters escaped, and its line ends kept. Escaped are C0 but for the tab, DEL, C1,
// bytes that are not UTF-8, and what changes the direction of text or ends lines in Unicode.
func Clean(text string) string {
	var b []byte
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b = append(b, '\n')
		}
		b = appendClean(b, []byte(line))
	}
	return string(b)
}

// appendClean appends a line with its control characters escaped. The escapes are those of JSON, so that a JSON text keeps
// its value; bytes that are not UTF-8 become \x9b and the like.
func appendClean(dst, line []byte) []byte {
	for len(line) > 0 {
		n := 0 // bytes of printable ASCII
		for n < len(line) && (line[n] >= ' ' && line[n] < 0x7f || line[n] == '\t') {
			n++
		}
		dst, line = append(dst, line[:n]...), line[n:]
		if len(line) == 0 {
			return dst
		}
		r, size := utf8.DecodeRune(line)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, `\x%02x`, line[0])
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case steers(r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, line[:size]...)
		}
		line = line[size:]
	}
	return dst
}

// steers reports whether a character does something to a terminal instead of being seen.
func steers(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f || // C0, DEL, C1
		r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}
