// Package task is the domain: what a task is, the states it passes through and the use cases of the REST API.
// It knows neither HTTP nor SQL nor SQS; those packages import this one.
package task

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Task is one long I/O-bound job that a client submitted.
type Task struct {
	// ID is a UUID version 7 (RFC 9562): it sorts by creation time, newest last.
	ID uuid.UUID
	// Submission is what the client asked for. In a list its Payload and Metadata are empty.
	Submission
	// Status is the state as the store has it. A cancelled task is never returned to a client.
	Status Status
	// Result is the JSON value that the job returned; nil unless Status is Completed. A list leaves out a result of more
	// than MaxListedResult bytes, and ResultSize then is its length; else ResultSize is 0.
	Result     json.RawMessage
	ResultSize int
	// Error is why the last attempt failed; empty when none did.
	Error string
	// Attempt counts the claims so far: 0 before the first. It is the fencing token of the claim that holds the task.
	Attempt int
	// Attempts are the attempts that have ended, oldest first, without those that a worker gave back. A list does not
	// have them.
	Attempts []AttemptRecord
	// Progress is what the job last said of itself; nil when it said nothing.
	Progress *Progress
	// CreatedAt is when the task was submitted, by the store's clock, in UTC.
	CreatedAt time.Time
	// Duration is how long the job has run: 0 while waiting, growing while running, fixed once ended. It is measured
	// by the store's clock alone, so that the clocks of different machines do not mix.
	Duration time.Duration
}

// AttemptRecord is one attempt that has ended.
type AttemptRecord struct {
	// Number is the attempt's fencing token.
	Number int `json:"number"`
	// Started and Ended are by the store's clock, in UTC.
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Error is why the attempt failed; empty for the attempt that completed the task.
	Error string `json:"error,omitempty"`
}

// Progress is how far a running job is, in the job's own unit.
type Progress struct {
	// Done of Total units are done. Total is 0 where the job does not know it.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
	// Note says what the job does now.
	Note string `json:"note,omitempty"`
}
