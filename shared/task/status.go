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
	// Pending is a task that waits for a worker: new, or returned after an attempt that may be repeated.
	Pending Status = "pending"
	// Running is a task that one worker has claimed and holds a lease on.
	Running Status = "running"
	// Completed is a task whose job answered; it has a result.
	Completed Status = "completed"
	// Failed is a task whose job ended with an error for good.
	Failed Status = "failed"
	// Cancelled is a deleted task: hidden from the API and kept until it is purged.
	Cancelled Status = "cancelled"
)

// labels are the strings of the REST API, which predate this implementation and stay as they are.
var labels = map[Status]string{
	Pending:   "created, but waiting to start",
	Running:   "in process",
	Completed: "completed",
	Failed:    "failed by io bound",
}

// Label is the status as the REST API shows it. A Cancelled task has none: the API does not show it.
func (s Status) Label() string { return labels[s] }

// Visible lists the states that the API shows, in the order of a task's life.
func Visible() []Status { return []Status{Pending, Running, Completed, Failed} }

// ParseStatus reads a visible status from either of its names, the store's ("running") or the API's ("in process").
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
