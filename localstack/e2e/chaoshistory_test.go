package e2e_test

import (
	"fmt"
	"time"
)

// change is a row of the table tasks after a statement. A trigger that the test adds to the database records the
// changes, independently of the code that writes.
type change struct {
	at      time.Time // when the statement wrote it
	task    string
	status  string
	attempt int
	lease   time.Time // its end; zero without a lease
	due     time.Time // the earliest start
	kind    string    // its type
	key     string    // its fairness key
	ending  string    // the result or error
}

func (c change) String() string {
	return fmt.Sprintf("%s %s, attempt %d, lease until %s, %q", c.at.Format("15:04:05.000"), c.status, c.attempt,
		c.lease.Format("15:04:05.000"), c.ending)
}

func (c change) ended() bool { return c.status == "completed" || c.status == "failed" }

// step names a change from one state to the next, or says why it is wrong.
func step(from, to change) (what string, wrong string) {
	same := to.attempt == from.attempt
	switch {
	case from.status == "cancelled":
		return "", "a deleted task changed"
	case to.status == "cancelled" && same:
		return "deleted", ""
	case from.ended():
		return "", "an ended task changed"
	case from.status == "pending" && to.status == "running" && to.attempt == from.attempt+1:
		if to.at.Before(from.due) {
			return "", "a task was claimed before it was due"
		}
		return "claimed", ""
	case from.status == "pending" && to.status == "pending" && same:
		return "due", "" // or announced, or changed
	case from.status == "pending" && to.status == "failed" && same:
		return "expired", ""
	case from.status != "running":
		return "", "a task that nobody ran changed"
	case to.status == "running" && to.attempt == from.attempt+1:
		return "", "a task was claimed while it ran"
	case !same:
		return "", "the attempt changed without a claim"
	case to.status == "running" && !to.lease.Before(from.lease):
		return "heartbeat", ""
	case to.status == "completed":
		return "ended", ""
	case to.status == "failed" || to.status == "pending":
		if to.at.After(from.lease) {
			return "rescued", ""
		}
		return "ended", "" // by its worker: failed, given back, or tried again
	}
	return "", "not a step of the state machine"
}
