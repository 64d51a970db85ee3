// Package task is the domain: what a task is, the states it passes through and the use cases of the REST API.
// It knows neither HTTP nor SQL nor SQS; those packages import this one.
package task

import (
	"time"

	"github.com/google/uuid"
)

// Task is one long I/O-bound job that a client submitted.
type Task struct {
	// ID is a UUID version 7 (RFC 9562): it sorts by creation time, newest last.
	ID uuid.UUID
	// Status is the state as the store has it. A cancelled task is never returned to a client.
	Status Status
	// Result is what the job answered; empty unless Status is Completed.
	Result string
	// Error is why the last attempt failed; empty when none did.
	Error string
	// Attempt counts the claims so far: 0 before the first. It is the fencing token of the claim that holds the task.
	Attempt int
	// CreatedAt is when the task was submitted, by the store's clock, in UTC.
	CreatedAt time.Time
	// Duration is how long the job has run: 0 while waiting, growing while running, fixed once ended. It is measured
	// by the store's clock alone, so that the clocks of different machines do not mix.
	Duration time.Duration
}
