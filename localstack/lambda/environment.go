package lambda

import (
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// phase is the state of an environment:
//
//	starting ──/next──► idle ◄──► busy ──/next──► settling ──► idle or busy
//	    └───────────────┴─ process ends ─┴──────────► gone
type phase int

const (
	starting phase = iota // has not called /next yet
	idle                  // waits in /next
	busy                  // has an invocation
	settling              // responded and called /next; the service is ending the log of the invocation
	gone                  // its process has ended
)

// cause is the reason for which the service ends an environment.
type cause int

const (
	none cause = iota // the service does not end it, though the process may end by itself
	unused
	initTimeout
	timeout
	closing
)

const (
	// shutdownGrace is the time between SIGTERM and SIGKILL: 500 ms with an internal extension, 0 without. See
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown.
	shutdownGrace = 500 * time.Millisecond
	// closeGrace is longer: the whole stack ends, and running work may have to save its state.
	closeGrace = 2 * time.Second
	// freezeDelay is the time from idle to frozen. AWS does not document one. It spares a busy environment the signals,
	// which cost a busy API a tenth of its throughput.
	freezeDelay = 5 * time.Millisecond
)

// environment is one process of a function.
type environment struct {
	id       string
	stream   string // the name of its log stream
	function *function
	cmd      *exec.Cmd
	logs     *logs
	memory   memory

	work  chan *invocation // holds at most its own invocation
	gone  chan struct{}    // closed when the process has ended
	ready chan struct{}    // closed when the environment first calls /next, or when initErr is set
	// initErr says why the environment never called /next. It is set before ready is closed.
	initErr error

	// The rest is guarded by function.mu.
	phase     phase
	cause     cause
	started   bool // there is a process
	frozen    bool // the process is stopped
	extension bool // the process has registered an extension, and so gets SIGTERM
	i         *invocation
	next      *invocation // waits for the end of i, which is answered
	initError *answer     // posted to /init/error
	startedAt time.Time
	initTook  time.Duration
	initTold  bool // the report of an invocation has named initTook

	// One timer serves all phases. due tells an expired timer from one that was set again.
	timer *time.Timer
	due   time.Time
}

// newEnvironment adds an environment to the pool; i may be nil. The caller holds f.mu, releases it and calls start.
func (f *function) newEnvironment(i *invocation) *environment {
	e := &environment{
		id: strings.ReplaceAll(uuid.NewString(), "-", ""), function: f, i: i,
		work: make(chan *invocation, 1), gone: make(chan struct{}), ready: make(chan struct{}),
	}
	e.stream = time.Now().UTC().Format("2006/01/02/") + "[" + version + "]" + e.id
	e.startedAt = time.Now()
	e.due = e.startedAt.Add(f.service.options.InitTimeout)
	e.timer = time.AfterFunc(f.service.options.InitTimeout, e.timeUp)
	f.all[e] = struct{}{}
	f.service.environments.Add(1)
	f.service.api.add(e)
	return e
}

// arm sets the timer. The caller holds function.mu.
func (e *environment) arm(d time.Duration) {
	e.due = time.Now().Add(d)
	e.timer.Reset(d)
}

// end ends the process: with SIGTERM and a grace period if it registered an extension, else with SIGKILL. The caller holds
// function.mu.
func (e *environment) end(why cause, grace time.Duration) {
	e.function.unavailable(e)
	if e.cause == none {
		e.cause = why
	}
	if !e.started || e.phase == gone {
		return // start checks cause
	}
	if !e.extension || grace == 0 {
		e.kill()
		return
	}
	e.arm(grace)
	e.signal(syscall.SIGTERM)
	e.thaw()
}

// kill ends the process and its children. The caller holds function.mu.
func (e *environment) kill() { e.signal(syscall.SIGKILL) }

func (e *environment) signal(signal syscall.Signal) {
	if e.started && e.phase != gone {
		_ = syscall.Kill(-e.cmd.Process.Pid, signal)
	}
}

// freeze stops the process and its children. The caller holds function.mu, as for thaw.
func (e *environment) freeze() {
	e.frozen = true
	e.signal(syscall.SIGSTOP)
}

// thaw continues a frozen process.
func (e *environment) thaw() {
	if e.frozen {
		e.frozen = false
		e.signal(syscall.SIGCONT)
	}
}

// timeUp runs when the timer expires: the environment has been in its phase for too long.
func (e *environment) timeUp() {
	f := e.function
	f.mu.Lock()
	var elsewhere *invocation
	switch {
	case time.Now().Before(e.due): // the timer was set again meanwhile
	case e.phase == gone:
	case e.cause != none: // the grace period is over
		e.kill()
	case e.phase == starting:
		e.end(initTimeout, 0)
	case e.phase == busy && e.next != nil:
		elsewhere = e.overdue()
	case e.phase == busy:
		e.end(timeout, 0)
	case e.phase == idle && f.service.options.Freeze && !e.frozen:
		e.freeze()
		e.arm(f.service.options.IdleTimeout)
	case e.phase == idle:
		e.end(unused, shutdownGrace)
	}
	f.mu.Unlock()
	if elsewhere != nil {
		f.place(elsewhere)
	}
}
