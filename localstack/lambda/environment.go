package lambda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// phase is where an environment is in its life:
//
//	starting ──/next──► idle ◄──► busy ──/next──► settling ──► idle or busy
//	    └───────────────┴─ process ends ─┴──────────► gone
type phase int

const (
	starting phase = iota // has not yet asked for an invocation
	idle                  // asks for one
	busy                  // has one
	settling              // has answered and asked for the next one; the log of the last one is being ended
	gone                  // its process has ended
)

// cause is why the service ends an environment.
type cause int

const (
	none cause = iota // it does not, though the process may end by itself
	unused
	initTimeout
	timeout
	closing
)

const (
	// shutdownGrace is the time between SIGTERM and SIGKILL: 500 ms with an internal extension, none without. See
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown.
	shutdownGrace = 500 * time.Millisecond
	// closeGrace is longer: the whole stack ends, and running work may have something to write down.
	closeGrace = 2 * time.Second
	// freezeDelay is how long an environment stays idle before it is frozen. AWS names no time. An environment that is used
	// again at once is spared the signals, which cost a tenth of a busy API's throughput.
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

	work  chan *invocation // holds at most the one that it has
	gone  chan struct{}    // closed when the process has ended
	ready chan struct{}    // closed when it asked for its first invocation, or when initErr says why it will not
	// initErr is set before ready is closed.
	initErr error

	// The rest is guarded by function.mu.
	phase     phase
	cause     cause
	started   bool // there is a process
	frozen    bool // and it is stopped
	extension bool // it has registered one, and so gets SIGTERM
	i         *invocation
	next      *invocation // comes after i, which is answered
	initError *answer     // what it posted to /init/error
	startedAt time.Time
	initTook  time.Duration
	initTold  bool // an invocation's report has named initTook

	// One timer serves all phases; due tells a timer that was set anew from one that is up.
	timer *time.Timer
	due   time.Time
}

// newEnvironment adds an environment to the pool; i may be nil. The caller holds f.mu, and calls start without it.
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

// start starts the process. A failure is a failed init. The process may ask for its invocation before start is done.
func (e *environment) start() {
	f := e.function
	err := e.launch()
	f.mu.Lock()
	if err != nil {
		f.mu.Unlock()
		e.notStarted(err)
		return
	}
	e.started = true
	if e.cause != none { // by Close, while it was started
		e.kill()
	} else if e.frozen { // it asked for an invocation before this
		e.signal(syscall.SIGSTOP)
	}
	f.mu.Unlock()
	go e.wait()
}

func (e *environment) launch() error {
	f := e.function
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe for the log: %w", err)
	}
	defer writer.Close()
	lines, err := readLogs(reader, f.Name, f.service.options.Logs)
	if err != nil {
		return err
	}
	f.mu.Lock() // for those who serve the process before start is done
	e.logs = lines
	f.mu.Unlock()
	e.cmd = exec.Command(f.binary)
	e.cmd.Dir = filepath.Dir(f.binary)
	e.cmd.Env = append(f.env[:len(f.env):len(f.env)],
		"AWS_LAMBDA_RUNTIME_API="+f.service.api.address+"/"+e.id, "AWS_LAMBDA_LOG_STREAM_NAME="+e.stream)
	// One pipe for both, so that their lines stay in order.
	e.cmd.Stdout, e.cmd.Stderr = writer, writer
	var profiles string
	if f.service.options.Profiles != nil {
		address, closeListener, err := handProfileListener(e.cmd)
		if err != nil {
			e.logs.close()
			return err
		}
		defer closeListener()
		profiles = address
	}
	if err := f.service.options.Processes.Start(e.cmd, syscall.SIGTERM); err != nil {
		e.logs.close()
		return err
	}
	if profiles != "" {
		f.service.options.Profiles(f.Name, profiles)
	}
	e.memory.of(e.cmd.Process.Pid)
	return nil
}

// arm sets the timer. The caller holds function.mu.
func (e *environment) arm(d time.Duration) {
	e.due = time.Now().Add(d)
	e.timer.Reset(d)
}

// end ends the process: with SIGTERM and a grace if it asked for that, else with SIGKILL. The caller holds function.mu.
func (e *environment) end(why cause, grace time.Duration) {
	e.function.unavailable(e)
	if e.cause == none {
		e.cause = why
	}
	if !e.started || e.phase == gone {
		return // start looks at cause
	}
	if !e.extension || grace == 0 {
		e.kill()
		return
	}
	e.arm(grace)
	e.signal(syscall.SIGTERM)
	e.thaw()
}

// kill ends the process and what it started. The caller holds function.mu.
func (e *environment) kill() { e.signal(syscall.SIGKILL) }

func (e *environment) signal(signal syscall.Signal) {
	if e.started && e.phase != gone {
		_ = syscall.Kill(-e.cmd.Process.Pid, signal)
	}
}

// freeze stops the process and what it started. The caller holds function.mu, and so below.
func (e *environment) freeze() {
	e.frozen = true
	e.signal(syscall.SIGSTOP)
}

// thaw lets a frozen process go on.
func (e *environment) thaw() {
	if e.frozen {
		e.frozen = false
		e.signal(syscall.SIGCONT)
	}
}

// timeUp is called when the timer is up: in whatever phase the environment is, it was there for too long.
func (e *environment) timeUp() {
	f := e.function
	f.mu.Lock()
	var elsewhere *invocation
	switch {
	case time.Now().Before(e.due): // the timer was set anew meanwhile
	case e.phase == gone:
	case e.cause != none: // the grace is over
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
