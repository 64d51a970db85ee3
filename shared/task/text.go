package task

import "strings"

// Text returns s in a form that every store accepts: bytes that are not UTF-8, and zero bytes, which Postgres refuses,
// become U+FFFD. Stores apply it to a job's texts, so that no ending is lost because of them.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
