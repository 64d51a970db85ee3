// Package process starts the processes of the local stack so that none of them outlives it, however it ends. The
// watchdog, a small shell script that the terminal's signals do not reach, holds the reading end of a pipe. When the
// local stack dies, even by SIGKILL, the kernel closes the writing end, and the watchdog ends every process group that
// is still registered.
package process

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// watchdogScript is the program of the watchdog. It is passed with -c, so ps shows its first line.
//
//go:embed watchdog.sh
var watchdogScript string

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("the process supervisor is closed")

// Supervisor starts processes, each in a process group of its own, and registers them with the watchdog. Its methods
// may be called from any goroutine. The zero value is not usable; see the function Start.
type Supervisor struct {
	watchdog *exec.Cmd
	starter  *starter

	mu     sync.Mutex // guards the rest and the order of the lines in the pipe
	pipe   io.WriteCloser
	groups map[int]bool
	closed bool
}

// Start launches the watchdog. The caller must Close the Supervisor.
func Start() (*Supervisor, error) {
	watchdog := exec.Command("/bin/sh", "-c", watchdogScript)
	watchdog.Dir = "/" // it must not keep a folder in use
	// A session of its own: Ctrl-C and the end of a terminal reach only the session of the terminal.
	watchdog.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// The pipe's writing end is close-on-exec, so no child of ours can hold it open.
	pipe, err := watchdog.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the process watchdog: %w", err)
	}
	if err := watchdog.Start(); err != nil {
		return nil, fmt.Errorf("start the process watchdog: %w", err)
	}
	return &Supervisor{watchdog: watchdog, starter: newStarter(), pipe: pipe, groups: map[int]bool{}}, nil
}

// Start starts cmd as the leader of a new process group and registers the group. If the local stack ends before the
// caller calls Exited, the group gets the signal stop, and SIGKILL about five seconds later. Start keeps the fields of
// cmd.SysProcAttr that are set, such as Credential.
//
// If Start fails, nothing runs. Otherwise the caller must Wait for cmd and then call Exited.
func (s *Supervisor) Start(cmd *exec.Cmd, stop syscall.Signal) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pgid = 0
	if err := s.starter.start(cmd, stop); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	if err := s.register(cmd.Process.Pid, stop); err != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return nil
}

// Run starts cmd as Start does, waits for its end and kills the rest of its process group. Its errors are those of Start
// and of cmd.Wait.
func (s *Supervisor) Run(cmd *exec.Cmd, stop syscall.Signal) error {
	if err := s.Start(cmd, stop); err != nil {
		return err
	}
	defer s.Exited(cmd.Process.Pid)
	return cmd.Wait()
}

// Exited reports that the caller has waited for the end of the process pid, which Start started. Exited kills the rest of
// its process group. It ignores unknown pids.
func (s *Supervisor) Exited(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.groups[pid] {
		return
	}
	delete(s.groups, pid)
	// The kernel does not reuse the number of a group that has members. Just after the group became empty, the kernel
	// is far from that number.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	// This fails only if somebody killed the watchdog; the next Start reports that.
	_, _ = fmt.Fprintf(s.pipe, "del %d\n", pid)
}

// Close ends the watchdog and waits for it. The watchdog ends the groups that are still registered, within about five
// seconds. Closing again does nothing.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	err := s.pipe.Close()
	s.mu.Unlock()
	err = errors.Join(err, s.watchdog.Wait())
	s.starter.close()
	if err != nil {
		return fmt.Errorf("end the process watchdog: %w", err)
	}
	return nil
}

func (s *Supervisor) register(pid int, stop syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	// One write, far below PIPE_BUF: the watchdog sees the whole line or nothing.
	if _, err := fmt.Fprintf(s.pipe, "add %d %d\n", pid, int(stop)); err != nil {
		return fmt.Errorf("tell the process watchdog: %w", err)
	}
	s.groups[pid] = true
	return nil
}
