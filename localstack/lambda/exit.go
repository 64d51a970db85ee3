package lambda

import (
	"fmt"
	"strings"
	"time"
)

// wait waits for the end of the process and ends what the process left open.
func (e *environment) wait() {
	f := e.function
	_ = e.cmd.Wait() // its result is in ProcessState
	f.service.options.Processes.Exited(e.cmd.Process.Pid)
	e.logs.drain()
	e.logs.close()

	f.mu.Lock()
	before, why, i, next := e.phase, e.cause, e.i, e.next
	if before != settling {
		e.next = nil // otherwise settle handles it
	}
	e.phase = gone
	e.timer.Stop()
	f.forget(e)
	if i != nil && i.answer != nil {
		f.vacate(i) // its caller has the answer, may invoke again, and can no longer wait for this environment
	}
	f.mu.Unlock()
	f.service.api.remove(e)
	close(e.gone)
	defer f.service.environments.Done()

	if before == starting {
		e.initFailed(why, e.exitFailure(why))
	}
	if i == nil || before == settling {
		return // nothing is left open, or settle handles it
	}
	if !i.delivered && before != starting && why == none {
		f.place(i) // the process ended while idle, before it received this invocation
		return
	}
	e.abandon(i, why)
	if next != nil {
		f.place(next)
	}
}

// abandon ends the invocation of an environment whose process has ended.
func (e *environment) abandon(i *invocation, why cause) {
	a := i.answer
	switch {
	case a != nil: // it responded, and ended before it called /next
	case why == closing:
		e.function.fail(i, ErrClosed)
		return
	case e.initError != nil && !i.delivered:
		a = e.initError
	default:
		a = e.exitFailure(why).answer(i.id)
	}
	if !i.delivered {
		e.logs.start(i.id)
		e.function.mu.Lock()
		i.start = time.Now()
		e.function.mu.Unlock()
	}
	e.function.complete(i, e.report(i, a))
}

// notStarted ends the environment of a process that could not be started, as wait does for a process that ended.
func (e *environment) notStarted(err error) {
	f := e.function
	f.mu.Lock()
	e.phase = gone
	e.timer.Stop()
	f.forget(e)
	i := e.i
	f.mu.Unlock()
	f.service.api.remove(e)
	close(e.gone)
	defer f.service.environments.Done()
	e.initErr = err
	close(e.ready)
	if i == nil {
		return
	}
	a := failure{kind: "Runtime.InvalidEntrypoint", text: err.Error()}.answer(i.id)
	f.service.options.Logs(f.Name, []byte(a.line))
	f.complete(i, a.output(i.id))
}

// exitFailure describes the end of the process.
func (e *environment) exitFailure(why cause) failure {
	switch why {
	case timeout:
		return failure{kind: kindTimeout, after: e.function.Timeout}
	case initTimeout:
		return failure{kind: kindTimeout, after: e.function.service.options.InitTimeout}
	}
	if e.cmd.ProcessState.Success() {
		return failure{kind: kindExit, text: "Runtime exited without providing a reason"}
	}
	return failure{kind: kindExit, text: "Runtime exited with error: " + e.cmd.ProcessState.String()}
}

// initFailed logs and stores the reason for which the environment never called /next.
func (e *environment) initFailed(why cause, f failure) {
	status := "error"
	defer close(e.ready)
	switch {
	case why == closing:
		e.initErr = ErrClosed
		return
	case why == initTimeout:
		status = "timeout"
		e.initErr = fmt.Errorf("it did not ask for an invocation (GET /2018-06-01/runtime/invocation/next) within %s",
			e.function.service.options.InitTimeout)
	case e.initError != nil:
		e.initErr = fmt.Errorf("it reported: %s", e.initError.payload)
	default:
		e.initErr = fmt.Errorf("it ended before it asked for an invocation: %s", e.cmd.ProcessState)
	}
	if lines := e.logs.last(10); lines != "" {
		e.initErr = fmt.Errorf("%w; its last lines:\n%s", e.initErr, strings.TrimRight(lines, "\n"))
	}
	e.logs.initReport(time.Since(e.startedAt), status, f.kind)
}
