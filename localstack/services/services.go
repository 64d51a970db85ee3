// Package services runs the servers that an application needs beside AWS, from binaries installed on this
// machine: each as a private server on a free loopback port, with its data in a folder of its own.
package services

import (
	"os/exec"
	"syscall"
)

// Processes starts processes so that none of them outlives the local stack. *process.Supervisor is one.
type Processes interface {
	// Start starts cmd in a process group of its own, which gets the signal stop if the stack dies.
	Start(cmd *exec.Cmd, stop syscall.Signal) error
	// Exited tells that a started process has ended and has been waited for.
	Exited(pid int)
}
