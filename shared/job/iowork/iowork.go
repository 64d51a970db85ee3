// Package iowork is the simulated I/O-bound job: it waits for some minutes, as for a slow remote system, and sometimes
// fails.
package iowork

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
)

// Name is the job's name in the catalogue.
const Name = "iowork"

// ErrIO is the failure that the simulated system answers with. It is final.
var ErrIO = errors.New("io work failed")

// Settings say how the simulated system behaves.
type Settings struct {
	// Min and Max bound the waiting time, both included. Equal values fix it. Max is not below Min.
	Min, Max time.Duration
	// FailureRate is the probability of failing, 0 to 1.
	FailureRate float64
}

// Payload of the job is empty: the settings are the deployment's.
type Payload struct{}

// New returns the job. It waits for a random time between Min and Max and answers "io work result = N" with N from 0 to
// 9, or fails with ErrIO, or with the cause that its context ended for. It reports each second of the wait.
func New(s Settings) *job.Job {
	return job.New(Name, func(ctx context.Context, _ job.Task, _ Payload) (string, error) {
		if err := s.wait(ctx); err != nil {
			return "", err
		}
		if rand.Float64() < s.FailureRate {
			return "", ErrIO
		}
		return fmt.Sprintf("io work result = %d", rand.IntN(10)), nil
	}, job.Timeout(s.Max+slack))
}

// slack is what the job may take beside its waiting time. Its time-out tells the worker whether a function has time for
// another one.
const slack = 5 * time.Second

// wait waits for the simulated system and reports the seconds that have passed of the time that it takes.
func (s Settings) wait(ctx context.Context) error {
	takes := s.Min + rand.N(s.Max-s.Min+1)
	began := time.Now()
	total := int64((takes + time.Second - 1) / time.Second)
	end := time.NewTimer(takes)
	defer end.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		job.Progress(ctx, min(int64(time.Since(began)/time.Second), total), total, "waiting for the simulated system, in seconds")
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			job.Progress(ctx, total, total, "the simulated system answered")
			return nil
		case <-second.C:
		}
	}
}
