package job

import (
	"fmt"
	"time"
)

// Options are a job's defaults and limits. A submission may lower Timeout and MaxAttempts, and choose any priority.
type Options struct {
	// Timeout is the longest run of one attempt; 0 is as long as the worker has.
	Timeout time.Duration
	// MaxAttempts is how often a task is tried in all; 0 is the deployment's MaxAttempts.
	MaxAttempts int
	// MaxRunning is how many tasks of the job run at once over all workers; 0 is no limit but the semaphore.
	MaxRunning int
	// MaxRunningPerKey is how many of these tasks may have the same fairness key; 0 is no limit but MaxRunning.
	MaxRunningPerKey int
	// Priority is that of a submission without one, 1 (first) to 4; 0 is the service's default.
	Priority int
}

// Option sets one of a job's Options.
type Option func(*Options)

// Timeout ends the context of an attempt after a time above 0.
func Timeout(d time.Duration) Option { return func(o *Options) { o.Timeout = positive(d) } }

// MaxAttempts is how often a task is tried in all, 1 to 100.
func MaxAttempts(n int) Option { return func(o *Options) { o.MaxAttempts = positive(n) } }

// MaxRunning limits how many tasks of the job run at once over all workers: 1 or more.
func MaxRunning(n int) Option { return func(o *Options) { o.MaxRunning = positive(n) } }

// MaxRunningPerKey limits how many tasks of the job with the same fairness key run at once: 1 or more.
func MaxRunningPerKey(n int) Option { return func(o *Options) { o.MaxRunningPerKey = positive(n) } }

// Priority is that of a submission without one, 1 (first) to 4.
func Priority(n int) Option { return func(o *Options) { o.Priority = positive(n) } }

// positive keeps the zero value for what no option set: 0 that an option did set is as wrong as -1.
func positive[N int | time.Duration](n N) N {
	if n == 0 {
		return -1
	}
	return n
}

func (o Options) check() error {
	switch {
	case o.Timeout < 0:
		return fmt.Errorf("Timeout: allowed are durations above 0")
	case o.MaxAttempts < 0 || o.MaxAttempts > 100:
		return fmt.Errorf("MaxAttempts: allowed are 1 to 100")
	case o.MaxRunning < 0:
		return fmt.Errorf("MaxRunning: allowed are 1 and more")
	case o.MaxRunningPerKey < 0:
		return fmt.Errorf("MaxRunningPerKey: allowed are 1 and more")
	case o.Priority < 0 || o.Priority > 4:
		return fmt.Errorf("Priority: allowed are 1 to 4")
	}
	return nil
}
