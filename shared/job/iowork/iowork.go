// Package iowork is the simulated I/O-bound job: it waits for some minutes, as a slow remote system would make it do,
// and sometimes fails.
package iowork

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
)

// Name is the job's name in the registry of package job.
const Name = "iowork"

func init() { job.Register(Name, New) }

// ErrIO is the failure that the simulated system answers with.
var ErrIO = errors.New("io work failed")

// Work waits for a random time between Min and Max and then answers or fails.
type Work struct {
	// Min and Max bound the waiting time, both included. Equal values make it fixed.
	Min, Max time.Duration
	// FailureRate is the probability of failing, 0 to 1.
	FailureRate float64
}

// New reads the settings JOB_MIN_DURATION (Go duration, default 3m), JOB_MAX_DURATION (default 5m) and
// JOB_FAILURE_RATE (0 to 1, default 0.1), and reports everything that is wrong with them at once.
func New(env func(string) string) (job.Job, error) {
	minimum, errMin := duration(env, "JOB_MIN_DURATION", 3*time.Minute)
	maximum, errMax := duration(env, "JOB_MAX_DURATION", 5*time.Minute)
	rate, errRate := probability(env, "JOB_FAILURE_RATE", 0.1)
	err := errors.Join(errMin, errMax, errRate)
	if errMin == nil && errMax == nil && maximum < minimum {
		err = errors.Join(err, fmt.Errorf("JOB_MAX_DURATION is %s; allowed are durations from JOB_MIN_DURATION (%s)", maximum, minimum))
	}
	if err != nil {
		return nil, err
	}
	return Work{Min: minimum, Max: maximum, FailureRate: rate}, nil
}

// Run implements job.Job. The result is "io work result = N" with N from 0 to 9; the error is ErrIO, or the cause that
// the context ended for.
func (w Work) Run(ctx context.Context, _ uuid.UUID) (string, error) {
	wait := time.NewTimer(w.Min + rand.N(w.Max-w.Min+1))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-wait.C:
	}
	if rand.Float64() < w.FailureRate {
		return "", ErrIO
	}
	return fmt.Sprintf("io work result = %d", rand.IntN(10)), nil
}

func duration(env func(string) string, name string, fallback time.Duration) (time.Duration, error) {
	text := env(name)
	if text == "" {
		return fallback, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s is %q; allowed are durations such as 2s or 3m", name, text)
	}
	return d, nil
}

func probability(env func(string) string, name string, fallback float64) (float64, error) {
	text := env(name)
	if text == "" {
		return fallback, nil
	}
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return 0, fmt.Errorf("%s is %q; allowed are numbers from 0 to 1", name, text)
	}
	return p, nil
}
