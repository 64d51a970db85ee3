package process

import (
	"os/exec"
	"runtime"
	"syscall"
)

// starter starts all processes from one OS thread that lives as long as the Supervisor.
//
// A process exists for a moment before the watchdog knows it. If the local stack is killed in that moment, Linux itself
// sends the process its stop signal (PR_SET_PDEATHSIG). Linux sends it when the thread that started the process ends;
// hence the thread. Other systems do not have this mechanism.
type starter struct {
	commands chan starting
	done     chan struct{}
}

type starting struct {
	cmd    *exec.Cmd
	result chan error
}

func newStarter() *starter {
	s := &starter{commands: make(chan starting), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *starter) run() {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	for {
		select {
		case c := <-s.commands:
			c.result <- c.cmd.Start()
		case <-s.done:
			return
		}
	}
}

func (s *starter) start(cmd *exec.Cmd, stop syscall.Signal) error {
	cmd.SysProcAttr.Pdeathsig = stop
	c := starting{cmd: cmd, result: make(chan error, 1)}
	select {
	case s.commands <- c:
		return <-c.result
	case <-s.done:
		return ErrClosed
	}
}

func (s *starter) close() { close(s.done) }
