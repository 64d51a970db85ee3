//go:build !linux

package process

import (
	"os/exec"
	"syscall"
)

// starter starts processes. Only Linux can tie a process to its parent before the watchdog knows it. On other systems, a
// process may survive if the local stack is killed in the instant that starts it.
type starter struct{}

func newStarter() *starter { return &starter{} }

func (*starter) start(cmd *exec.Cmd, _ syscall.Signal) error { return cmd.Start() }

func (*starter) close() {}
