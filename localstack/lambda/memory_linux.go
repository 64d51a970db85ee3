package lambda

import (
	"bytes"
	"os"
	"strconv"
)

// maxrssUnit is the unit of Rusage.Maxrss in bytes.
const maxrssUnit = 1 << 10

// peakOf returns the peak resident memory of a running process in bytes, 0 if the process has just ended.
func peakOf(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	kilobytes, err := strconv.Atoi(string(number))
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
