package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// errDeadline is the cause that ends a job's context before the function's time-out.
var errDeadline = errors.New("the job did not end before the function's time-out")

// outcome is what a job left behind.
type outcome struct {
	result json.RawMessage
	err    error
	// progress is the job's last report if no heartbeat has stored it, else nil.
	progress *task.Progress
}

// runJob runs the job under a context that ends with the lease, at the task's time-out, and before the function does.
func (r *Runner) runJob(ctx context.Context, a attempt, j *job.Job) (o outcome) {
	jobCtx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(r.stopping, func() { end(errStopped) })()
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		jobCtx, stop = context.WithDeadlineCause(jobCtx, deadline.Add(-r.cfg.EndingTime), errDeadline)
		defer stop()
	}
	if timeout := timeoutOf(a.Task, j); timeout > 0 {
		var stop context.CancelFunc
		jobCtx, stop = context.WithTimeoutCause(jobCtx, timeout, fmt.Errorf("the job did not end within its time-out of %s", timeout))
		defer stop()
	}
	reporter := &job.Reporter{}
	jobCtx = job.WithReporter(jobCtx, reporter)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		o.progress = r.keepLease(jobCtx, a, reporter, end)
	}()
	result, err := r.call(jobCtx, a, j)
	if cause := context.Cause(jobCtx); err != nil && cause != nil {
		err = cause // whatever the job returned, this stopped it
	}
	end(nil)
	<-beating
	o.result, o.err = result, err
	if last := changed(reporter); last != nil {
		o.progress = last
	}
	return o
}

// changed is the reporter's latest report, or nil if it has not changed since the last call.
func changed(reporter *job.Reporter) *task.Progress {
	report, changed := reporter.Latest()
	if !changed {
		return nil
	}
	progress := task.Progress(report)
	return &progress
}

// timeoutOf is how long an attempt may take: a submission may lower the job's own limit. 0 means as long as the
// function has.
func timeoutOf(t task.Task, j *job.Job) time.Duration {
	own := j.Options().Timeout
	if t.Timeout > 0 && (own == 0 || t.Timeout < own) {
		return t.Timeout
	}
	return own
}

// call runs the job. A panic fails only this job and not the process's other work.
func (r *Runner) call(ctx context.Context, a attempt, j *job.Job) (result json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "job panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("job panicked: %v", p)
		}
	}()
	t := job.Task{ID: a.ID, Attempt: a.Attempt, FairnessKey: a.FairnessKey, Tags: a.Tags}
	t.Deadline, _ = ctx.Deadline()
	if a.Progress != nil {
		t.Progress = job.Report(*a.Progress)
	}
	return j.Run(ctx, t, a.Payload)
}
