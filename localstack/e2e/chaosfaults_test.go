package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// chaos is a stack with breakable parts: a private Postgres behind a proxy, an SQS endpoint behind another, and a local
// stack that the test kills and restarts.
type chaos struct {
	t         *testing.T
	plan      plan
	processes *process.Supervisor
	folder    string
	postgres  *postgres.Server
	proxy     faultProxy
	through   string // the database's URL through the proxy
	queue     *faultyQueue

	mu        sync.Mutex
	stack     *running   // the current stack
	stacks    []*running // all of them
	submitted []submission
	seen      map[string]int // endings by label
	endings   map[string]string

	// These belong to the goroutine that injects faults.
	killed, paused          int
	apiKilled               int
	duplicates, lostAnswers int
	pauses                  sync.WaitGroup
	disturbed               []time.Time
	faultsTook, restTook    time.Duration
	// These belong to the goroutine that sweeps.
	sweeps []sweep

	refusals    atomic.Int64
	badGateways atomic.Int64 // answers of the gateway for a dead function
}

func newChaos(t *testing.T, p plan) *chaos {
	t.Helper()
	c := &chaos{t: t, plan: p, processes: supervisor(t), folder: t.TempDir(), seen: map[string]int{}, endings: map[string]string{}}
	t.Cleanup(func() {
		if c.postgres != nil {
			if err := c.postgres.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	c.startPostgres()
	c.proxy, c.through = proxied(t, c.postgres.URL())
	c.queue = newFaultyQueue(t)
	c.startStack()
	execute(t, c.postgres.URL(), keepHistory)
	return c
}

func (c *chaos) startPostgres() {
	server, err := postgres.Start(context.Background(), postgres.Options{
		Dir: filepath.Join(c.folder, "postgres"), Processes: c.processes,
		Settings: map[string]string{"fsync": "off"}, // the test kills processes, not the machine
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.postgres = server
}

// server returns the address of Postgres itself, which changes with each start.
func (c *chaos) server() string {
	u, err := url.Parse(c.postgres.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	return u.Host
}

// startStack starts the local stack with the application's template, and waits until it is ready.
func (c *chaos) startStack() {
	s := launch(c.t, filepath.Join(c.folder, "stack"), "--stack-name", "ksu", "--template", c.template(), "--parameter-overrides", fmt.Sprintf(
		`Semaphore=%d JobsPerInvocation=%d WorkerConcurrency=%d JobMinDuration=50ms JobMaxDuration=3500ms JobFailureRate=0.2 WorkerTimeout=30 TaskVisibilityTimeout=30 DatabaseUrl="%s"`,
		c.plan.semaphore, c.plan.jobs, c.plan.semaphore/c.plan.jobs, c.through))
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
	case "cut connections":
		c.proxy.cut()
	case "lose answers":
		c.lostAnswers += f.n
		c.proxy.loseAnswers(f.n)
	case "restart Postgres":
		c.restartPostgres(func() error { return c.postgres.Close(context.Background()) })
	case "crash Postgres":
		c.restartPostgres(c.crashPostgres)
	case "send duplicates":
		c.sendDuplicates(f.n)
	case "kill the stack":
		s := c.current()
		_ = s.cmd.Process.Kill()
		<-s.ended
		c.startStack()
	default:
		c.queue.fail(f.kind, 1500*time.Millisecond)
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

func (c *chaos) restartPostgres(stop func() error) {
	if err := stop(); err != nil {
		c.t.Error(err)
	}
	c.startPostgres()
	c.proxy.redirect(c.server())
}

// crashPostgres kills the server: clients get no message, and it writes no checkpoint.
func (c *chaos) crashPostgres() error {
	content, err := os.ReadFile(filepath.Join(c.folder, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return err
	}
	<-c.postgres.Done()
	return c.postgres.Close(context.Background())
}

func (c *chaos) count(ctx context.Context, sql string) (n int, err error) {
	conn, err := pgx.Connect(ctx, c.postgres.URL())
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	return n, conn.QueryRow(ctx, sql).Scan(&n)
}
