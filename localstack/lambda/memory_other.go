//go:build !linux

package lambda

// maxrssUnit is the unit of Rusage.Maxrss in bytes, on macOS.
const maxrssUnit = 1

// peakOf is 0, unknown: macOS tells it of a running process only through its C library. The report of an
// environment's last invocation has it nevertheless, if the process ended with it.
func peakOf(int) int { return 0 }
