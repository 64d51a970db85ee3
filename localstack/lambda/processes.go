package lambda

import (
	"os/exec"
	"syscall"
)

// Processes starts processes such that they do not outlive the local stack.
type Processes interface {
	// Start starts cmd as the leader of a process group of its own; stop is the signal that ends it gracefully.
	Start(cmd *exec.Cmd, stop syscall.Signal) error
	// Exited tells that a started process was waited for. It must end what is left of the process group.
	Exited(pid int)
}

// plainProcesses are started without further care.
type plainProcesses struct{}

func (plainProcesses) Start(cmd *exec.Cmd, _ syscall.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func (plainProcesses) Exited(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
