package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// psEntry is one row of the process table.
type psEntry struct {
	id, parent int
	state      string // as ps shows it; T is stopped
	command    string // with its arguments
}

// family returns a process with all its descendants.
func family(t testing.TB, ancestor int) []psEntry {
	t.Helper()
	table := processTable(t)
	var all []psEntry
	for _, p := range table {
		for id := p.id; id != 0; id = table[id].parent {
			if id == ancestor {
				all = append(all, p)
				break
			}
		}
	}
	return all
}

// allGone waits until none of the processes runs any more, nor any other whose command line names the data folder, such
// as functions and Postgres.
func allGone(t testing.TB, processes []psEntry, data string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		table := processTable(t)
		var left []psEntry
		for _, p := range processes {
			if now, ok := table[p.id]; ok && now.command == p.command {
				left = append(left, p)
			}
		}
		for _, p := range table {
			if strings.Contains(p.command, data+"/") {
				left = append(left, p)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after the stack's end there still are %+v", left)
		}
	}
}

// noProcess checks that no process of a data folder runs.
func noProcess(t testing.TB, data string) { t.Helper(); allGone(t, nil, data) }
