package e2e_test

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// processTable lists all processes without zombies. It reads /proc: a small Debian does not have ps.
func processTable(t testing.TB) map[int]psEntry {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	table := map[int]psEntry{}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		info, runs, err := process.Lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || !runs {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		command := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		if command == "" { // a kernel thread
			command = "[" + info.Command + "]"
		}
		table[id] = psEntry{id, info.Parent, string(info.State), command}
	}
	return table
}

// residentKiB returns the resident memory of a process.
func residentKiB(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatalf("process %d has no VmRSS: %s", pid, status)
	return 0
}
