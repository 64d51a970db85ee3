package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	// A name that breaks a reader of /proc/PID/stat that looks for the first parenthesis or space.
	name := filepath.Join(t.TempDir(), "odd) R 1 (x")
	if err := os.Symlink(sleep, name); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, "300")
	cmd.Args[0] = sleep // a multi-call binary looks here
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	got, running, err := Lookup(pid)
	if err != nil || !running || got.Parent != os.Getpid() || got.State == 'Z' {
		t.Errorf("a running process is %+v, %t, %v", got, running, err)
	}
	if got.Command != filepath.Base(name) && got.Command != filepath.Base(sleep) {
		t.Errorf("its command is %q", got.Command)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is a zombie", func() bool {
		got, running, err := Lookup(pid)
		return err == nil && !running && got.State == 'Z'
	})
	_ = cmd.Wait()
	if got, running, err := Lookup(pid); err != nil || running || got != (Info{}) {
		t.Errorf("a process that ended is %+v, %t, %v", got, running, err)
	}
}
