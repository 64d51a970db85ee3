package services

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// program is a started process and the end of its output.
type program struct {
	name   string // for messages
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed once the process has ended
	err    error         // of cmd.Wait; read it after done only
}

// launch starts cmd. Its outputs are kept for a failure's message only, until follow is called. The signal
// stop is the one that ends it in good order.
func launch(name string, cmd *exec.Cmd, processes Processes, stop syscall.Signal) (*program, error) {
	p := &program{name: name, cmd: cmd, output: &tail{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	// Descendants may hold the output open for a moment longer than the process itself.
	cmd.WaitDelay = 2 * time.Second
	if err := processes.Start(cmd, stop); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		processes.Exited(cmd.Process.Pid)
		close(p.done)
	}()
	return p, nil
}

// ended reports whether the process has ended.
func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// failure describes the end of a process that should not have ended, or failed.
func (p *program) failure() error {
	err := p.err
	if err == nil {
		err = fmt.Errorf("exit status 0")
	}
	if lines := p.output.String(); lines != "" {
		return fmt.Errorf("%s ended: %w; its last lines:\n%s", p.name, err, lines)
	}
	return fmt.Errorf("%s ended without a word: %w", p.name, err)
}

// step is one attempt at ending a process.
type step struct {
	signal syscall.Signal
	group  bool          // whether the whole process group gets the signal
	wait   time.Duration // how long the process may take
}

// stop goes through the steps until the process has ended, and in the end kills its group. An end of ctx
// goes on to the next step at once. It returns how many steps it took, 0 if the process had ended before.
func (p *program) stop(ctx context.Context, steps ...step) int {
	for i, s := range steps {
		if p.ended() {
			return i
		}
		pid := p.cmd.Process.Pid
		if s.group {
			pid = -pid
		}
		// The process is not reaped yet or has just been: in the latter case nobody gets the signal.
		_ = syscall.Kill(pid, s.signal)
		timer := time.NewTimer(s.wait)
		select {
		case <-p.done:
			timer.Stop()
			return i + 1
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	return len(steps) + 1
}

// cleanEnvironment returns this process's environment without the variables that start with one of the
// prefixes, which would configure the program behind our back, and with messages in English.
func cleanEnvironment(prefixes ...string) []string {
	var env []string
next:
	for _, variable := range os.Environ() {
		for _, prefix := range append(prefixes, "LC_ALL=") {
			if strings.HasPrefix(variable, prefix) {
				continue next
			}
		}
		env = append(env, variable)
	}
	return append(env, "LC_ALL=C")
}
