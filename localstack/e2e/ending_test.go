package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledStack kills the local stack with SIGKILL. No process remains, neither functions nor Postgres nor the
// watchdog, and the next start works with the data folder as it is.
func TestKilledStack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "Semaphore=2 JobMinDuration=4m JobMaxDuration=5m")
	running := []string{s.submit(), s.submit()}
	s.until("both to run", 20*time.Second, func() bool { return s.count("running") == 2 })
	waiting := s.submit()
	processes := family(t, s.cmd.Process.Pid)
	if len(processes) < 8 { // the stack, the watchdog, four functions and more workers, Postgres and its parts
		t.Errorf("the stack has only %+v", processes)
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	allGone(t, processes, data)

	s = start(t, data, "Semaphore=2 JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0")
	s.until("the waiting task to complete", 30*time.Second, func() bool { return s.status(waiting) == "completed" })
	for _, id := range running { // status checks that they exist
		if got := s.status(id); got == "failed by io bound" {
			t.Errorf("a task whose worker was killed is %q", got)
		}
	}
}

// TestMakeRunEnds ends `make run` as people do: with Ctrl-C, which reaches all processes in the terminal's foreground,
// and with SIGTERM to make alone.
func TestMakeRunEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(pid int) error{
		"Ctrl-C":  func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) },
		"SIGTERM": func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			cmd := exec.Command("make", "--no-print-directory", "-C", "../..", "run", "LOCALSTACK="+filepath.Join(data, "localstack"))
			cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "DATABASE_URL=", "PORT=0", "AWS_PORT=0", "DATA="+data,
				"PARAMS=JobMinDuration=4m JobMaxDuration=5m", "STORAGE=postgres", "CONFIG=")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			s := run(t, cmd)
			s.untilReady()
			id := s.submit()
			s.until("the task to run", 20*time.Second, func() bool { return s.status(id) == "in process" })
			processes := family(t, cmd.Process.Pid)
			if err := end(cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
			<-s.ended
			allGone(t, processes, data)
			if text := s.output(); !strings.Contains(text, "task released") || !strings.Contains(text, "database system is shut down") {
				t.Errorf("the worker did not give its task back, or Postgres was not shut down: %s", text)
			}
			if _, err := http.Get(s.api); err == nil {
				t.Errorf("%s still answers", s.api)
			}
		})
	}
}
