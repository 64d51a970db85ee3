package driver

import "strings"

// Text makes a job's words fit for a column, the same in every store: Postgres takes neither invalid UTF-8 nor the zero
// byte, and an ending must not be lost for that.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
