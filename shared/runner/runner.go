// Package runner takes a task from its SQS message to its end: claim, run the job, keep the lease, write the ending.
package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config has the runner's times. The zero value of a field is its default.
type Config struct {
	// Heartbeat is how often a running task's lease is extended; default 3s. It bounds how long a deleted task's job
	// goes on.
	Heartbeat time.Duration
	// Lease is how long a claim holds without a heartbeat; default 3 × Heartbeat.
	Lease time.Duration
	// EndingTime is what is left to write the ending between the end of the job's context and the function's own
	// time-out; default config.EndingTime, 10s.
	EndingTime time.Duration
	// ClaimTime is how long a claim is tried while the store cannot be reached, before the message goes back to the
	// queue and stays hidden there for its visibility time-out; default config.ClaimTime, 10s, which a restart of the
	// database does not take, and which the time-out of the function leaves beside the longest job.
	ClaimTime time.Duration
	// MaxAttempts is how often a task is tried in all, when its workers die or its job asks for it (job.Retryable);
	// default 3.
	MaxAttempts int
}

func (c Config) withDefaults() Config {
	if c.Heartbeat == 0 {
		c.Heartbeat = 3 * time.Second
	}
	if c.Lease == 0 {
		c.Lease = 3 * c.Heartbeat
	}
	if c.EndingTime == 0 {
		c.EndingTime = config.EndingTime
	}
	if c.ClaimTime == 0 {
		c.ClaimTime = config.ClaimTime
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 3
	}
	return c
}

// errDeadline is why a job's context ends before the function's time-out.
var errDeadline = errors.New("the job did not end before the function's time-out")

// errStopped is why jobs end when the process is told to.
var errStopped = errors.New("the worker stops")

// Runner runs the tasks that messages name.
type Runner struct {
	store task.Store
	job   *job.Job
	log   *slog.Logger
	cfg   Config

	// stopping ends with errStopped when the process is told to end; active are the batches on their way.
	stopping context.Context
	stop     context.CancelCauseFunc
	active   sync.WaitGroup
}

// New returns a runner of one job over a store.
func New(store task.Store, j *job.Job, log *slog.Logger, cfg Config) *Runner {
	r := &Runner{store: store, job: j, log: log, cfg: cfg.withDefaults()}
	r.stopping, r.stop = context.WithCancelCause(context.Background())
	return r
}

// Stop stops the running jobs, gives their tasks back to the store and returns when that is done. It is for a process
// that got SIGTERM: another worker can have the tasks at once instead of after their lease.
func (r *Runner) Stop() {
	r.stop(errStopped)
	r.active.Wait()
}

// Handle is the Lambda handler of the task queue's event source mapping. It runs the tasks of a batch at the same time and
// returns when all have ended. It reports the messages that it could not settle as batch item failures, so that SQS
// delivers them again; all others are done, duplicates included.
func (r *Runner) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	r.active.Add(1)
	defer r.active.Done()
	became := make([]outcome, len(event.Records))
	var batch sync.WaitGroup
	for i, message := range event.Records {
		batch.Go(func() { became[i] = r.handle(ctx, message) })
	}
	batch.Wait()
	var response events.SQSEventResponse
	var counts tally
	for i, message := range event.Records {
		counts.add(became[i])
		if became[i] == returned {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	counts.log(ctx, r.log)
	return response, nil
}

// handle does what one message asks for.
func (r *Runner) handle(ctx context.Context, message events.SQSMessage) outcome {
	ctx = logging.With(logging.WithTrace(ctx, queue.Trace(message)), slog.String("message_id", message.MessageId))
	id, err := queue.TaskID(message.Body)
	if err != nil {
		r.log.ErrorContext(ctx, "message dropped: it names no task", "error", err)
		return malformed
	}
	ctx = logging.Task(ctx, id.String(), 0)
	err = r.run(ctx, id)
	switch {
	case errors.Is(err, task.ErrNotClaimable):
		r.log.InfoContext(ctx, "message acknowledged: its task is unknown, deleted, ended or running elsewhere")
		return duplicate
	case err != nil:
		r.log.ErrorContext(ctx, "message returned to the queue", "error", err)
		return returned
	}
	return ran
}

// attempt is a claim of a task.
type attempt struct {
	id uuid.UUID
	// number is the fencing token.
	number int
	// asked is when the claim began, by this machine's clock: the lease began no earlier.
	asked time.Time
}

// run takes one task to its end. An error means that the message must come again, unless it is task.ErrNotClaimable.
func (r *Runner) run(ctx context.Context, id uuid.UUID) error {
	a, err := r.claim(ctx, id)
	if err != nil {
		return err
	}
	ctx = logging.With(ctx, slog.Int("attempt", a.number)) // for the lines of the job as well
	r.log.InfoContext(ctx, "task started")
	result, err := r.runJob(ctx, a)
	return r.finish(ctx, a, result, err)
}

// claim takes the task. A claim that was made while its answer was lost leaves the task to the sweeper, which finds its
// lease expired: the next try is answered that the task runs.
func (r *Runner) claim(ctx context.Context, id uuid.UUID) (a attempt, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ClaimTime)
	defer cancel()
	defer context.AfterFunc(r.stopping, cancel)()
	a.id = id
	err = r.insist(ctx, "task not claimed yet", func(ctx context.Context) (err error) {
		a.asked = time.Now()
		a.number, err = r.store.Claim(ctx, id, r.cfg.Lease, r.cfg.MaxAttempts)
		return err
	})
	if err != nil {
		return attempt{}, fmt.Errorf("claim task %s: %w", id, err)
	}
	return a, nil
}

// runJob runs the job under a context that ends with the lease, and before the function does.
func (r *Runner) runJob(ctx context.Context, a attempt) (json.RawMessage, error) {
	jobCtx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(r.stopping, func() { end(errStopped) })()
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		jobCtx, stop = context.WithDeadlineCause(jobCtx, deadline.Add(-r.cfg.EndingTime), errDeadline)
		defer stop()
	}
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		r.keepLease(jobCtx, a, end)
	}()
	result, err := r.call(jobCtx, a)
	if cause := context.Cause(jobCtx); err != nil && cause != nil {
		err = cause // whatever the job made of it, this is why it stopped
	}
	end(nil)
	<-beating
	return result, err
}

// call runs the job; a panic is that job's failure and leaves the process's other work alone.
func (r *Runner) call(ctx context.Context, a attempt) (result json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "job panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("job panicked: %v", p)
		}
	}()
	deadline, _ := ctx.Deadline()
	return r.job.Run(ctx, job.Task{ID: a.id, Attempt: a.number, Deadline: deadline}, nil)
}
