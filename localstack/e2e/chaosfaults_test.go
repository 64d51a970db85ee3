package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// chaos is a stack with breakable parts: its storage, an SQS endpoint behind a proxy, and a local stack that the test
// kills and restarts.
type chaos struct {
	t         *testing.T
	plan      plan
	processes *process.Supervisor
	folder    string
	storage   chaosStorage
	queue     *faultyQueue
	remote    string // the server that the tasks of the job http ask

	mu        sync.Mutex
	stack     *running   // the current stack
	stacks    []*running // all of them
	submitted []submission
	seen      map[string]int // endings by label
	endings   map[string]string

	// These belong to the goroutine that injects faults.
	killed, paused       int
	apiKilled            int
	duplicates           int
	pauses               sync.WaitGroup
	disturbed            []time.Time
	faultsTook, restTook time.Duration
	// These belong to the goroutine that sweeps.
	sweeps []sweep

	refusals    atomic.Int64
	badGateways atomic.Int64 // answers of the gateway for a dead function
}

func newChaos(t *testing.T, p plan) *chaos {
	t.Helper()
	c := &chaos{t: t, plan: p, processes: supervisor(t), folder: t.TempDir(), seen: map[string]int{}, endings: map[string]string{}}
	c.storage = newChaosStorage(t, p.storage, c.folder, c.processes)
	c.queue, c.remote = newFaultyQueue(t), startRemote(t)
	c.startStack()
	c.storage.keepHistory()
	return c
}

// startStack starts the local stack with the application's template, and waits until it is ready.
func (c *chaos) startStack() {
	parameters := []string{
		fmt.Sprintf("Semaphore=%d JobsPerInvocation=%d WorkerConcurrency=%d", c.plan.semaphore, c.plan.jobs, c.plan.semaphore/c.plan.jobs),
		"JobMinDuration=50ms JobMaxDuration=3500ms JobFailureRate=0.2 WorkerTimeout=30 TaskVisibilityTimeout=30",
		fmt.Sprintf("HttpAllow=%s HttpMaxRunning=%d HttpMaxRunningPerKey=%d", c.remote, chaosLimits.ofType, chaosLimits.ofKey),
		c.storage.parameters(),
	}
	s := launch(c.t, filepath.Join(c.folder, "stack"), "--stack-name", "ksu", "--template", c.template(),
		"--storage", c.plan.storage, "--parameter-overrides", strings.Join(parameters, " "))
	s.untilReady()
	c.queue.leadTo(s.aws)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stack, c.stacks = s, append(c.stacks, s)
}

// template returns the application's template with one more variable for all functions, which leads SQS requests
// through the fault proxy.
func (c *chaos) template() string {
	const variable = "        LOG_LEVEL: !Ref LogLevel\n"
	return changedTemplate(c.t, c.folder, variable, variable+"        AWS_ENDPOINT_URL_SQS: "+c.queue.url+"\n")
}

// current returns the running stack.
func (c *chaos) current() *running {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stack
}

// inject causes a fault.
func (c *chaos) inject(f fault) {
	c.disturbed = append(c.disturbed, time.Now())
	switch f.kind {
	case "kill workers":
		c.killed += c.signal("worker", f.n, syscall.SIGKILL)
	case "pause workers":
		c.pause(f.n)
	case "kill API functions":
		c.apiKilled += c.signal("api", f.n, syscall.SIGKILL)
	case "kill the sweeper":
		c.signal("sweeper", f.n, syscall.SIGKILL)
	case "send duplicates":
		c.sendDuplicates(f.n)
	case "kill the stack":
		s := c.current()
		_ = s.cmd.Process.Kill()
		<-s.ended
		c.startStack()
	default:
		if !c.storage.inject(f) {
			c.queue.fail(f.kind, 1500*time.Millisecond)
		}
	}
	c.disturbed = append(c.disturbed, time.Now())
}

// signal sends a signal to up to n processes of a function in any state, and returns how many got it.
func (c *chaos) signal(function string, n int, signal syscall.Signal) int {
	pids := c.current().processes(function)
	pids = pids[:min(n, len(pids))]
	signalAll(pids, signal)
	return len(pids)
}

// signalAll sends a signal to processes, some of which may have ended meanwhile.
func signalAll(pids []int, signal syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, signal)
	}
}

// pause stops up to n workers until their leases have expired and other workers have run their tasks. The workers then
// resume and find their jobs done.
func (c *chaos) pause(n int) {
	pids := c.current().processes("worker")
	pids = pids[:min(n, len(pids))]
	c.paused += len(pids)
	signalAll(pids, syscall.SIGSTOP)
	c.pauses.Go(func() {
		wait(leaseTime + 12*time.Second)
		signalAll(pids, syscall.SIGCONT)
	})
}
