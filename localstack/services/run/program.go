// Package run has the tools that every backing server of the local stack needs: a supervised process with the
// end of its output, the account that it runs as, a folder of its own, and a free port.
package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Processes starts processes so that none of them outlives the local stack. *process.Supervisor implements it.
type Processes interface {
	// Start starts cmd in a process group of its own. The group gets the signal stop if the stack dies.
	Start(cmd *exec.Cmd, stop syscall.Signal) error
	// Exited reports that the caller has waited for the end of a started process.
	Exited(pid int)
}

// Program is a started process and the end of its output. The zero value is not usable; see Launch.
type Program struct {
	name   string // for messages
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed once the process has ended
	err    error         // of cmd.Wait; valid after done is closed
}

// Launch starts cmd under name, which its error messages use. The signal stop ends it in good order. Its output is
// kept for error messages only, until the caller calls Follow.
func Launch(name string, cmd *exec.Cmd, processes Processes, stop syscall.Signal) (*Program, error) {
	p := &Program{name: name, cmd: cmd, output: &tail{}, done: make(chan struct{})}
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

// Pid returns the number of the process.
func (p *Program) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the process has ended.
func (p *Program) Done() <-chan struct{} { return p.done }

// Ended reports whether the process has ended.
func (p *Program) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Err returns nil while the process runs and after a clean end, and Failure otherwise.
func (p *Program) Err() error {
	if !p.Ended() || p.err == nil {
		return nil
	}
	return p.Failure()
}

// Failure describes the end of a process that should still run or that failed. It quotes the last lines of the
// output. The process must have ended.
func (p *Program) Failure() error {
	err := p.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	if lines := p.LastLines(); lines != "" {
		return fmt.Errorf("%s ended: %w; its last lines:\n%s", p.name, err, lines)
	}
	return fmt.Errorf("%s ended without a word: %w", p.name, err)
}

// Follow passes each further line of the output to log, on a goroutine of the program. Nil discards the lines.
func (p *Program) Follow(log func(line string)) { p.output.follow(log) }

// LastLines returns the end of the output, without a final newline.
func (p *Program) LastLines() string { return p.output.String() }

// Step is one attempt at ending a process.
type Step struct {
	Signal syscall.Signal
	Group  bool          // whether the whole process group gets the signal
	Wait   time.Duration // how long the process may take
}

// Stop goes through the steps until the process has ended, and finally kills its group. If ctx ends, Stop moves on
// to the next step at once. It returns the number of steps that were needed: 0 if the process had ended before.
func (p *Program) Stop(ctx context.Context, steps ...Step) int {
	for i, s := range steps {
		if p.Ended() {
			return i
		}
		pid := p.Pid()
		if s.Group {
			pid = -pid
		}
		// If the process has just been reaped, nobody gets the signal.
		_ = syscall.Kill(pid, s.Signal)
		timer := time.NewTimer(s.Wait)
		select {
		case <-p.done:
			timer.Stop()
			return i + 1
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
	<-p.done
	return len(steps) + 1
}

// Environment returns the environment of this process for a server: without the variables that start with one of
// the prefixes, which would configure the server unseen, and with messages in English.
func Environment(prefixes ...string) []string {
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

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on. Another process may take it before the caller
// does.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
