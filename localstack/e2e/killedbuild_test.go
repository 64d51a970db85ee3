package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// standIn replaces the go command, which is at $GO. A build into the folder $HANG_BUILD hangs in a child, as in a
// linker.
const standIn = `#!/bin/sh
case "$*" in
*"$HANG_BUILD"*) sleep 301 & wait ;;
*) exec "$GO" "$@" ;;
esac
`

// TestKilledBuild kills the local stack while a child process builds the functions: no process remains, and the next
// start cleans up.
func TestKilledBuild(t *testing.T) {
	t.Parallel()
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	data, bin := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--template", "../../infra/sam/template.yaml", "--storage", "internal"}
	cmd := command(t, data, arguments...)
	cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "GO="+goCommand, "HANG_BUILD="+data+"/functions/")
	s := run(t, cmd)
	var processes []psEntry
	s.until("the start to hang", time.Minute, func() bool {
		processes = family(t, cmd.Process.Pid)
		return slices.ContainsFunc(processes, func(p psEntry) bool { return p.command == "sleep 301" })
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	allGone(t, processes, data)
	if len(temporary(t, data)) != 1 {
		t.Errorf("the killed build left %v, want a temporary folder", temporary(t, data))
	}

	s = launch(t, data, arguments...)
	s.untilReady()
	if left := temporary(t, data); len(left) > 0 {
		t.Errorf("after the next start there still is %v", left)
	}
}

// temporary lists the hidden files of a build.
func temporary(t *testing.T, data string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(data, "*", ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}
