package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// invocation has the slots of one invocation.
type invocation struct {
	*Runner
	ctx context.Context
	// end is when the jobs' contexts end, zero if the function has no time-out; whole is its distance at the start.
	end   time.Time
	whole time.Duration

	slots sync.WaitGroup

	mu sync.Mutex
	// idle slots may be opened.
	idle int
	// ran counts the claimed tasks, failed the failed claims.
	ran, failed int
}

func (r *Runner) invoke(ctx context.Context) *invocation {
	i := &invocation{Runner: r, ctx: ctx, idle: r.cfg.Slots}
	if deadline, ok := ctx.Deadline(); ok {
		i.end = deadline.Add(-r.cfg.EndingTime)
		i.whole = time.Until(i.end)
	}
	return i
}

// open starts up to n idle slots.
func (i *invocation) open(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for ; n > 0 && i.idle > 0; n-- {
		i.idle--
		i.slots.Go(func() { i.fill(false) })
	}
}

// look opens one idle slot at each heartbeat, until over is closed. The queue delivers no permit while all environments
// are busy, and a busy environment may have idle slots. Without a look, a task would wait for the end of a job that does
// not concern it.
func (i *invocation) look(over <-chan struct{}) {
	tick := time.NewTicker(i.cfg.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		i.mu.Lock()
		if 0 < i.idle && i.idle < i.cfg.Slots { // a busy slot keeps Handle from its return
			i.idle--
			i.slots.Go(func() { i.fill(true) })
		}
		i.mu.Unlock()
	}
}

// fill runs tasks in one slot until none may start, or too little time is left for another. A slot that only looks has
// no permit to give back or to pass on before its first task.
func (i *invocation) fill(looks bool) {
	defer func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.idle++
	}()
	for i.stopping.Err() == nil {
		rules, closed := i.rules()
		a, err := i.claim(i.ctx, rules)
		switch {
		case errors.Is(err, task.ErrNothingToClaim):
			if closed && !looks { // too little time may be the reason
				i.passOn()
			}
			return
		case err != nil:
			if i.stopping.Err() == nil { // a stop cancels the claim, and the permit goes back to the queue
				i.log.ErrorContext(i.ctx, "no task claimed", "error", err)
			}
			if !looks {
				i.mu.Lock()
				i.failed++
				i.mu.Unlock()
			}
			return
		}
		i.mu.Lock()
		i.ran++
		i.mu.Unlock()
		looks = false
		i.open(1) // another task may wait too
		i.run(i.ctx, a)
	}
}

// rules returns the rules of a claim. It closes each type whose job might not end before the function does, and then
// closed is true. A job that needs all of a function's time has it only at the start.
func (i *invocation) rules() (rules task.ClaimRules, closed bool) {
	rules = task.ClaimRules{Lease: i.cfg.Lease, Weights: i.cfg.Weights, Limits: map[string]task.Limit{}}
	for _, j := range i.jobs.All() {
		o := j.Options()
		limit := task.Limit{MaxRunning: o.MaxRunning, MaxRunningPerKey: o.MaxRunningPerKey}
		if !i.end.IsZero() {
			needs := min(o.Timeout, i.whole)
			if o.Timeout == 0 {
				needs = i.whole
			}
			// A claim at the start also takes time.
			limit.Closed = time.Until(i.end)+i.cfg.ClaimTime < needs
		}
		closed = closed || limit.Closed
		rules.Limits[j.Name()] = limit
	}
	return rules, closed
}

// passOn sends a permit if tasks wait, since this slot has no time for them.
func (i *invocation) passOn() {
	ctx, cancel := context.WithTimeout(i.ctx, i.cfg.ClaimTime)
	defer cancel()
	load, err := i.store.Load(ctx, 1)
	if err == nil && load.Waiting > 0 {
		err = i.queue.Send(ctx, task.Permit{})
	}
	if err != nil {
		i.log.WarnContext(ctx, "permit not sent", "error", err)
	}
}

// attempt is a claim of a task.
type attempt struct {
	task.Task
	// asked is when the claim began, by this machine's clock. The lease began no earlier.
	asked time.Time
}

// stopTime is how long a stop waits for the store's answer to a claim. A claim that is cut off may have taken a task, which
// then runs nowhere until its lease has expired. Lambda leaves an environment 500 ms after its SIGTERM.
const stopTime = 200 * time.Millisecond

// claim takes the best task. If the store's answer to a claim is lost, the sweeper finds that task's lease expired.
func (r *Runner) claim(ctx context.Context, rules task.ClaimRules) (a attempt, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ClaimTime)
	defer cancel()
	defer context.AfterFunc(r.stopping, func() { time.AfterFunc(stopTime, cancel) })()
	err = r.insist(ctx, "task not claimed yet", func(ctx context.Context) (err error) {
		a.asked = time.Now()
		a.Task, err = r.store.Claim(ctx, rules)
		return err
	})
	return a, err
}

// run takes a claimed task to its end.
func (r *Runner) run(ctx context.Context, a attempt) {
	ctx = logging.Task(logging.WithTrace(ctx, a.Trace), a.ID.String(), a.Attempt)
	j, known := r.jobs.Lookup(a.Type)
	if !known {
		r.unknown(ctx, a)
		return
	}
	r.log.InfoContext(ctx, "task started", "type", a.Type)
	if err := r.finish(ctx, a, j, r.runJob(ctx, a, j)); err != nil {
		r.log.ErrorContext(ctx, "ending not written", "error", err)
	}
}
