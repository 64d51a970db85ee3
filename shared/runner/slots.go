package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/task"
)

// invocation is the slots of one invocation.
type invocation struct {
	*Runner
	ctx context.Context
	// end is when the jobs' contexts end, zero where the function has no time-out; whole is how far away it was at the start.
	end   time.Time
	whole time.Duration

	slots sync.WaitGroup

	mu sync.Mutex
	// idle slots may be opened.
	idle int
	// ran counts the tasks that were claimed, failed the claims that could not be made.
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
		i.slots.Go(i.fill)
	}
}

// fill runs tasks in one slot until none may start, or no time is left for another.
func (i *invocation) fill() {
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
			if closed { // it may be for want of time
				i.passOn()
			}
			return
		case err != nil:
			i.log.ErrorContext(i.ctx, "no task claimed", "error", err)
			i.mu.Lock()
			i.failed++
			i.mu.Unlock()
			return
		}
		i.mu.Lock()
		i.ran++
		i.mu.Unlock()
		i.open(1) // where one task waited, another may
		i.run(i.ctx, a)
	}
}

// rules are those of a claim now: a type is closed whose job might not end before the function does. closed says that one
// is. A job that takes all the time of a function has it at the start alone.
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
			// A claim at the start takes some time as well.
			limit.Closed = time.Until(i.end)+i.cfg.ClaimTime < needs
		}
		closed = closed || limit.Closed
		rules.Limits[j.Name()] = limit
	}
	return rules, closed
}

// passOn sends a permit if tasks wait, since this slot has no time for them.
func (i *invocation) passOn() {
	ctx := context.WithoutCancel(i.ctx)
	load, err := i.store.Load(ctx, 1)
	if err == nil && load.Waiting > 0 {
		err = i.queue.Send(ctx, task.Permit{})
	}
	if err != nil {
		i.log.WarnContext(ctx, "permit not passed on; the sweeper sends it", "error", err)
	}
}

// attempt is a claim of a task.
type attempt struct {
	task.Task
	// asked is when the claim began, by this machine's clock: the lease began no earlier.
	asked time.Time
}

// claim takes the best task. A claim that was made while its answer was lost leaves the task to the sweeper, which finds
// its lease expired.
func (r *Runner) claim(ctx context.Context, rules task.ClaimRules) (a attempt, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ClaimTime)
	defer cancel()
	defer context.AfterFunc(r.stopping, cancel)()
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
	result, err := r.runJob(ctx, a, j)
	if err := r.finish(ctx, a, j, result, err); err != nil {
		r.log.ErrorContext(ctx, "ending not written; the sweeper rescues the task", "error", err)
	}
}
