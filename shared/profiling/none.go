//go:build nopprof

package profiling

// Serve does nothing.
func Serve() error { return nil }
