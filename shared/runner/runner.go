// Package runner fills the slots of a worker's environment: each claims a task, runs its job, keeps the lease, writes the
// ending, and claims the next one.
package runner

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config has the runner's times and limits. Zero fields get the defaults.
type Config struct {
	// Slots is how many tasks one environment runs at once; default 1.
	Slots int
	// Heartbeat is how often a running task's lease is extended; default 3s. A deleted task's job goes on for at most
	// that long.
	Heartbeat time.Duration
	// Lease is how long a claim holds without a heartbeat; default 3 × Heartbeat.
	Lease time.Duration
	// EndingTime is what is left to write the ending between the end of the job's context and the function's own
	// time-out; default 10s.
	EndingTime time.Duration
	// ClaimTime is how long a claim is tried while the store cannot be reached. Then the permit goes back to the queue and
	// stays hidden there for its visibility time-out. The default, 10s, is longer than a restart of the database.
	ClaimTime time.Duration
	// MaxAttempts is the maximum number of attempts, after workers die or the job returns job.Retryable, unless the
	// task or its job says otherwise; default 3.
	MaxAttempts int
	// Weights are the relative shares of fairness keys; a key without an entry has weight 1.
	Weights map[string]float64
	// UnknownTime is how long a task of an unknown type is left to other workers: during a deployment, the new API
	// knows jobs that old workers do not. Then the task fails. Default 15m.
	UnknownTime time.Duration
}

func (c Config) withDefaults() Config {
	c.Slots = cmp.Or(c.Slots, 1)
	c.Heartbeat = cmp.Or(c.Heartbeat, 3*time.Second)
	c.Lease = cmp.Or(c.Lease, 3*c.Heartbeat)
	c.EndingTime = cmp.Or(c.EndingTime, 10*time.Second)
	c.ClaimTime = cmp.Or(c.ClaimTime, 10*time.Second)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 3)
	c.UnknownTime = cmp.Or(c.UnknownTime, 15*time.Minute)
	return c
}

// Store has the steps that the runner needs.
type Store interface{ task.Attempts }

// Runner runs tasks in the slots of one environment.
type Runner struct {
	store Store
	queue task.Queue
	jobs  job.Catalogue
	log   *slog.Logger
	cfg   Config

	// stopping ends with errStopped when the process must end; active are the invocations in progress.
	stopping context.Context
	stop     context.CancelCauseFunc
	active   sync.WaitGroup
}

// errStopped is the cause that ends jobs when the process must end.
var errStopped = errors.New("the worker stops")

// New returns a runner of a catalogue's jobs over a store. It sends permits to the queue.
func New(store Store, queue task.Queue, jobs job.Catalogue, log *slog.Logger, cfg Config) *Runner {
	r := &Runner{store: store, queue: queue, jobs: jobs, log: log, cfg: cfg.withDefaults()}
	r.stopping, r.stop = context.WithCancelCause(context.Background())
	return r
}

// Stop stops the running jobs, gives their tasks back to the store, and then returns. It is for a process that got
// SIGTERM: another worker can have the tasks at once, not only after their lease.
func (r *Runner) Stop() {
	r.stop(errStopped)
	r.active.Wait()
}

// Handle is the Lambda handler of the task queue's event source mapping. Each message is a permit to fill one slot,
// whatever its body says. A slot whose claim succeeds opens another one, so that one permit can fill all. While one slot
// is busy, an idle one claims at each heartbeat, since the queue may have no environment for a new permit. Handle
// returns when no slot is busy. It reports the permits of failed claims as batch item failures, so that SQS redelivers
// them.
func (r *Runner) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	r.active.Add(1)
	defer r.active.Done()
	i := r.invoke(ctx)
	i.open(len(event.Records))
	over := make(chan struct{})
	go i.look(over)
	i.slots.Wait()
	close(over)
	var response events.SQSEventResponse
	returned := min(i.failed, len(event.Records))
	for _, message := range event.Records[:returned] {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
	}
	r.log.InfoContext(ctx, "permits handled", "permits", len(event.Records), "ran", i.ran, "superfluous", max(0, len(event.Records)-i.ran-returned),
		"returned", returned)
	return response, nil
}
