package listen

import "strings"

// ValidHeaderValue reports whether a text is allowed as the value of a header: visible characters, spaces and tabs, and
// bytes above 0x7F. net/http writes other bytes as they are, and its own client then refuses the whole message. See
// https://www.rfc-editor.org/rfc/rfc9110#section-5.5.
func ValidHeaderValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}

// ValidHeaderName reports whether a text is allowed as the name of a header. See
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2.
func ValidHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}
