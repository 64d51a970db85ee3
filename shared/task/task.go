// Package task is the domain: tasks, their states and the use cases of the REST API. It knows neither HTTP nor SQL nor
// SQS; packages for those import this one.
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
	// Submission is the client's request. In a list, its Payload and Metadata are empty.
	Submission
	// Status is the state in the store. Clients never see a cancelled task.
	Status Status
	// Result is the job's JSON value; nil unless Status is Completed. A list omits a result of more than
	// MaxListedResult bytes and has its length in ResultSize; otherwise ResultSize is 0.
	Result     json.RawMessage
	ResultSize int
	// Error says why the last attempt failed; empty if none failed.
	Error string
	// Attempt counts the claims so far: 0 before the first. It is the fencing token of the current claim.
	Attempt int
	// Attempts are the ended attempts, oldest first, without those that a worker released. A list omits them.
	Attempts []AttemptRecord
	// Progress is the job's last report; nil without one.
	Progress *Progress
	// CreatedAt is when the task was submitted, by the store's clock, in UTC.
	CreatedAt time.Time
	// Duration is how long the job has run: 0 while it waits, growing while it runs, fixed after its end. The store's
	// clock alone measures it, so that clocks of different machines do not mix.
	Duration time.Duration
}

// AttemptRecord is an ended attempt.
type AttemptRecord struct {
	// Number is the attempt's fencing token.
	Number int `json:"number"`
	// Started and Ended are by the store's clock, in UTC.
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Error says why the attempt failed; empty for the attempt that completed the task.
	Error string `json:"error,omitempty"`
}

// Progress is how far a running job is, in the job's own unit.
type Progress struct {
	// Done of Total units are done. Total is 0 if the job does not know it.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
	// Note says what the job is doing.
	Note string `json:"note,omitempty"`
}
