package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// errPaused is why a lease ends without a heartbeat that failed.
var errPaused = errors.New("the process was paused")

// keepLease extends the lease until ctx ends, and carries the job's reports. When the lease is lost it ends the job with task.ErrLeaseLost. When the
// store could not be asked for a whole lease, another worker may hold the task from now on, which is the same.
func (r *Runner) keepLease(ctx context.Context, a attempt, reporter *job.Reporter, end context.CancelCauseFunc) {
	tick := time.NewTicker(r.cfg.Heartbeat)
	defer tick.Stop()
	until := a.asked.Add(r.cfg.Lease)
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	why := errPaused
	var unsaid *task.Progress // a report that no heartbeat has carried yet
	for {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
		case <-tick.C:
		}
		asked := time.Now()
		if !asked.Before(until) {
			end(fmt.Errorf("%w: no heartbeat for %s: %w", task.ErrLeaseLost, r.cfg.Lease, why))
			return
		}
		if report, changed := reporter.Latest(); changed {
			progress := task.Progress(report)
			unsaid = &progress
		}
		beat, cancel := context.WithDeadline(ctx, until)
		err := r.store.Heartbeat(beat, a.ID, a.Attempt, r.cfg.Lease, unsaid)
		cancel()
		switch {
		case err == nil:
			until, why, unsaid = asked.Add(r.cfg.Lease), errPaused, nil
			over.Reset(time.Until(until))
		case ctx.Err() != nil:
			return
		case errors.Is(err, task.ErrLeaseLost):
			end(err)
			return
		default:
			why = err
			r.log.WarnContext(ctx, "heartbeat failed", "error", err)
		}
	}
}
