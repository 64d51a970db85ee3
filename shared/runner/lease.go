package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// errPaused is the cause of a lost lease without a failed heartbeat.
var errPaused = errors.New("the process was paused")

// keepLease extends the lease until ctx ends, and stores the job's progress. If the lease is lost, it ends the job with
// task.ErrLeaseLost. If no heartbeat has succeeded for a whole lease, another worker may hold the task, so the lease
// counts as lost too. It returns a report that no heartbeat has stored, or nil.
func (r *Runner) keepLease(ctx context.Context, a attempt, reporter *job.Reporter, end context.CancelCauseFunc) (unsaid *task.Progress) {
	tick := time.NewTicker(r.cfg.Heartbeat)
	defer tick.Stop()
	until := a.asked.Add(r.cfg.Lease)
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	why := errPaused
	for {
		select {
		case <-ctx.Done():
			return unsaid
		case <-over.C:
		case <-tick.C:
		}
		asked := time.Now()
		if !asked.Before(until) {
			end(fmt.Errorf("%w: no heartbeat for %s: %w", task.ErrLeaseLost, r.cfg.Lease, why))
			return unsaid
		}
		if progress := changed(reporter); progress != nil {
			unsaid = progress
		}
		beat, cancel := context.WithDeadline(ctx, until)
		err := r.store.Heartbeat(beat, a.ID, a.Attempt, r.cfg.Lease, unsaid)
		cancel()
		switch {
		case err == nil:
			until, why, unsaid = asked.Add(r.cfg.Lease), errPaused, nil
			over.Reset(time.Until(until))
		case ctx.Err() != nil:
			return unsaid
		case errors.Is(err, task.ErrLeaseLost):
			end(err)
			return unsaid
		default:
			why = err
			r.log.WarnContext(ctx, "heartbeat failed", "error", err)
		}
	}
}
