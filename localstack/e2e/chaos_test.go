package e2e_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestChaos breaks everything at random while clients submit and delete tasks. It then checks the promise against the
// database's own history: a task that got 201 ends exactly once, and never do more workers hold a lease than the
// semaphore allows, nor do more tasks of the job http run than its limits allow. `make chaos` is its long form.
//
// The template is the real one with the shortest visibility time-out, 30 seconds, so that messages of dead workers come
// back within the test. The test invokes the sweeper every second beside its schedule of a minute, so that a rescue
// "within two sweeps" takes seconds.
//
// It runs on each storage, or on the one of CHAOS_STORAGE.
func TestChaos(t *testing.T) {
	only := os.Getenv("CHAOS_STORAGE")
	if only == "" {
		eachStorage(t, testChaos)
		return
	}
	if !slices.Contains(storages, only) {
		t.Fatalf("STORAGE is %q; allowed are %s", only, strings.Join(storages, ", "))
	}
	t.Parallel()
	testChaos(t, only)
}

func testChaos(t *testing.T, storage string) {
	p := planFromEnvironment(t, storage)
	t.Logf("make chaos %s repeats these faults", p)
	c := newChaos(t, p)
	stop := make(chan struct{})
	var background sync.WaitGroup
	background.Go(func() { c.sweepUntil(stop) })
	background.Go(func() { c.watchUntil(stop) })
	var clients sync.WaitGroup
	for n := range chaosClients {
		clients.Go(func() { c.submitAll(n) })
	}
	began := time.Now()
	for _, f := range p.faults {
		wait(f.pause)
		c.inject(f)
	}
	clients.Wait()
	c.faultsTook = time.Since(began)
	c.pauses.Wait()
	c.untilNothingWaits()
	c.restTook = time.Since(began) - c.faultsTook
	close(stop)
	background.Wait()
	c.report(judge(observed{
		history: c.storage.history(), accepted: c.accepted(), sweeps: c.sweeps, disturbed: c.disturbed, semaphore: p.semaphore,
		limits: map[string]runningLimits{"http": chaosLimits},
	}))
}

// wait sleeps between two faults of the schedule.
func wait(d time.Duration) { <-time.After(d) }

// untilNothingWaits waits for the last task to end.
func (c *chaos) untilNothingWaits() {
	c.t.Helper()
	patience := 3*time.Minute + c.plan.time // a backlog may have grown
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		left, err := c.storage.waiting(context.Background())
		if err == nil && left == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Errorf("%s after the last fault, %d tasks wait or run (%v)", patience, left, err)
			return
		}
	}
}

var superfluousLine = regexp.MustCompile(`"permits handled".*"superfluous":(\d+)`)

// report prints the figures, and fails the test for each problem.
func (c *chaos) report(v *verdict) {
	c.t.Helper()
	superfluous := 0
	for _, s := range c.stacks {
		for _, m := range superfluousLine.FindAllStringSubmatch(s.output(), -1) {
			n, _ := strconv.Atoi(m[1])
			superfluous += n
		}
	}
	c.checkEndings(v)
	happened := map[string]int{}
	for _, f := range c.plan.faults {
		if f.kind == "lose answers" {
			happened[f.kind] += f.n
		} else {
			happened[f.kind]++
		}
	}
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-28s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("time", "%.0f s of faults, %.0f s until the last task ended", c.faultsTook.Seconds(), c.restTook.Seconds())
	row("tasks accepted", "%d, %d of them deleted; %d requests refused or cut off", len(c.submitted), c.deletions(), c.refusals.Load())
	row("ended", "%d completed, %d failed", c.seen["completed"], c.seen["failed by io bound"])
	row("workers killed", "%d, each with up to %d tasks", c.killed, c.plan.jobs)
	row("workers paused", "%d, for longer than their leases", c.paused)
	row("API functions killed", "%d, %d of them while they had a request", c.apiKilled, c.badGateways.Load())
	row("local stack killed", "%d", happened["kill the stack"])
	if c.plan.storage == "postgres" {
		row("Postgres restarted", "%d, %d of them after a crash", happened["restart Postgres"]+happened["crash Postgres"], happened["crash Postgres"])
		row("Postgres connections", "%d times all cut, %d answers lost", happened["cut connections"], happened["lose answers"])
	}
	row("SQS answers", "%d refused", c.queue.refused.Load())
	row("permits", "%d sent beside those of the tasks, %d claimed nothing", c.duplicates+int(c.queue.doubled.Load()), superfluous)
	row("lost attempts", "%d, of which %d ended their task", v.rescued, v.gaveUp)
	row("sweeps", "%d; a rescue took at most %d", len(c.sweeps), v.sweepsNeeded)
	row("longest recovery", "%.1f s", v.longest.Seconds())
	row("workers with a lease", "at most %d alive, %d leases with those of dead ones; the semaphore is %d", v.live, v.leases, c.plan.semaphore)
	row("tasks of the job http", "at most %d ran at once, %d with one key; the limits are %d and %d", v.ofType, v.ofKey, chaosLimits.ofType, chaosLimits.ofKey)
	row("lost", "%d", v.lost)
	row("double endings", "%d", v.doubled)
	c.t.Logf("chaos:\n%s", &b)
	if n := int(c.badGateways.Load()); n > c.apiKilled {
		v.problem("%d requests were answered 502, more than the %d API functions that were killed", n, c.apiKilled)
	}
	for _, p := range v.problems {
		c.t.Error(p)
	}
	if superfluous == 0 || v.rescued == 0 || c.killed == 0 || v.ofType < chaosLimits.ofType || v.ofKey < chaosLimits.ofKey {
		c.t.Error("the faults or the limits had no effect, so that the run shows nothing")
	}
	if c.t.Failed() {
		c.t.Logf("make chaos %s repeats the faults: %+v", c.plan, c.plan.faults)
	}
}
