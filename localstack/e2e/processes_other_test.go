//go:build !linux

package e2e_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// processTable lists all processes without zombies.
func processTable(t testing.TB) map[int]psEntry {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "state=", "-o", "args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	table := map[int]psEntry{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || strings.HasPrefix(fields[2], "Z") {
			continue
		}
		id, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatalf("ps: %q", line)
		}
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatalf("ps: %q", line)
		}
		table[id] = psEntry{id, parent, fields[2], strings.Join(fields[3:], " ")}
	}
	return table
}

// residentKiB returns the resident memory of a process.
func residentKiB(t testing.TB, pid int) int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
