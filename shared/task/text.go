package task

import "strings"

// Text returns s as every store can keep it: bytes that are not UTF-8 and zero bytes, which Postgres refuses, become
// U+FFFD. A store writes a job's words by it, so that no ending is lost for them.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
