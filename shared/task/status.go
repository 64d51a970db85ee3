package task

import (
	"fmt"
	"strings"
)

// Status is a state in the life of a task. Its string is the value that stores keep; Label is what clients read.
//
//	pending ──claim──► running ──ok──► completed
//	   ▲                 │  └─error──► failed
//	   └──rescue/retry───┘
//	any ──DELETE──► cancelled
type Status string

const (
	// Pending is a task that waits for a worker: new, or returned for another attempt.
	Pending Status = "pending"
	// Running is a task that a worker has claimed and holds a lease on.
	Running Status = "running"
	// Completed is a task whose job succeeded; it has a result.
	Completed Status = "completed"
	// Failed is a task whose job failed for good.
	Failed Status = "failed"
	// Cancelled is a deleted task: hidden from the API and kept until the sweeper purges it.
	Cancelled Status = "cancelled"
)

// labels are the strings of the REST API. They predate this implementation and do not change.
var labels = map[Status]string{
	Pending:   "created, but waiting to start",
	Running:   "in process",
	Completed: "completed",
	Failed:    "failed by io bound",
}

// Label returns the status as the REST API shows it, "" for Cancelled, which the API does not show.
func (s Status) Label() string { return labels[s] }

// Visible lists the states that the API shows, in the order of a task's life.
func Visible() []Status { return []Status{Pending, Running, Completed, Failed} }

// ParseStatus parses a visible status by either name, the store's ("running") or the API's ("in process"). Its error
// lists the allowed names.
func ParseStatus(s string) (Status, error) {
	var allowed []string
	for _, status := range Visible() {
		if s == string(status) || s == status.Label() {
			return status, nil
		}
		allowed = append(allowed, string(status))
	}
	return "", fmt.Errorf("status %q is unknown; allowed are %s", s, strings.Join(allowed, ", "))
}
