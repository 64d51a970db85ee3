// Package process starts the processes of the local stack so that none of them outlives it, however it
// ends. A watchdog, a small shell script outside the terminal's reach, holds the reading end of a pipe;
// when the local stack is gone (even by SIGKILL) the kernel closes the writing end and the watchdog ends
// every process group that is still registered.
package process

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("the process supervisor is closed")

// Supervisor starts processes, each in a process group of its own, and keeps the watchdog informed of
// them. Its methods may be called from any goroutine. The zero value is not usable, see Start.
type Supervisor struct {
	watchdog *exec.Cmd
	starter  *starter

	mu     sync.Mutex // guards the rest, and keeps the lines of the pipe in order
	pipe   io.WriteCloser
	groups map[int]bool
	closed bool
}

// Start launches the watchdog. The caller must Close the Supervisor in the end.
func Start() (*Supervisor, error) {
	watchdog := exec.Command("/bin/sh", "-c", watchdogScript)
	watchdog.Dir = "/" // it must not keep anybody's folder in use
	// A session of its own: Ctrl-C and a closing terminal reach the terminal's session only.
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

// Start starts cmd as the leader of a new process group and registers that group: if the local stack ends
// before Exited is called, the group gets the signal stop, and SIGKILL if that does not end it within
// about five seconds. Fields of cmd.SysProcAttr that are already set, such as Credential, are kept.
//
// When Start fails, nothing runs. The caller has to Wait for cmd and then to call Exited.
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

// Run starts cmd as Start does, waits for its end and kills what it left behind. Errors are those of Start and of
// cmd.Wait.
func (s *Supervisor) Run(cmd *exec.Cmd, stop syscall.Signal) error {
	if err := s.Start(cmd, stop); err != nil {
		return err
	}
	defer s.Exited(cmd.Process.Pid)
	return cmd.Wait()
}

// Exited tells that the process pid, started by Start, has ended and has been waited for. Whatever it
// left behind in its process group is killed. Unknown pids are ignored.
func (s *Supervisor) Exited(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.groups[pid] {
		return
	}
	delete(s.groups, pid)
	// A group's number is not given out again while the group has members, and just after it became
	// empty the kernel is far from coming round to it.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	// The only failure is a watchdog that somebody killed; the next Start reports it.
	_, _ = fmt.Fprintf(s.pipe, "del %d\n", pid)
}

// Close ends the watchdog and waits for it. It ends whatever is still registered, which takes up to about
// five seconds; usually nothing is. Closing again does nothing.
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
	// One write, far below PIPE_BUF: the watchdog sees the whole line or nothing of it.
	if _, err := fmt.Fprintf(s.pipe, "add %d %d\n", pid, int(stop)); err != nil {
		return fmt.Errorf("tell the process watchdog: %w", err)
	}
	s.groups[pid] = true
	return nil
}
