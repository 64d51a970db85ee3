// Package runtest has what the tests of the backing servers share.
package runtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Processes is a supervisor without a watchdog. It reports every process that a test leaves running.
type Processes struct {
	// Started gets every started command, in order.
	Started chan *exec.Cmd

	mu      sync.Mutex
	running map[int]*exec.Cmd
}

// NewProcesses returns Processes that the end of the test checks.
func NewProcesses(t *testing.T) *Processes {
	t.Helper()
	p := &Processes{Started: make(chan *exec.Cmd, 100), running: map[int]*exec.Cmd{}}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for pid, cmd := range p.running {
			t.Errorf("%s still runs", cmd)
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	})
	return p
}

// Start starts cmd in a process group of its own.
func (p *Processes) Start(cmd *exec.Cmd, _ syscall.Signal) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.running[cmd.Process.Pid] = cmd
	p.mu.Unlock()
	p.Started <- cmd
	return nil
}

// Exited forgets a process.
func (p *Processes) Exited(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, pid)
}

// Dir returns the path of a folder that is still to be created, below a folder that only its owner may enter, as a
// checkout of root's is.
func Dir(t *testing.T) string {
	t.Helper()
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(closed, "data", "server")
}

// Log returns a function that logs until the test ends: the last line of a server may arrive a moment later.
func Log(t *testing.T) func(string) {
	t.Helper()
	var mu sync.Mutex
	ended := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	})
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			t.Log(line)
		}
	}
}
