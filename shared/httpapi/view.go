package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// links are the routes of a task.
type links struct {
	Task   string `json:"task"`
	Status string `json:"status"`
	Result string `json:"result"`
}

func linksOf(id uuid.UUID) links {
	base := "/task/" + id.String()
	return links{base, base + "/status", base + "/result"}
}

// view is a task as clients see it. Times that do not apply are null. Limits that neither the submission nor its job
// sets are absent.
type view struct {
	ID          uuid.UUID         `json:"id"`
	Type        string            `json:"type"`
	Status      string            `json:"status"`
	CreatedAt   string            `json:"created_at"`
	Duration    int64             `json:"duration"`
	RunAt       string            `json:"run_at"`
	ExpiresAt   *string           `json:"expires_at"`
	Priority    int               `json:"priority"`
	FairnessKey string            `json:"fairness_key"`
	MaxAttempts int               `json:"max_attempts,omitempty"`
	Timeout     int64             `json:"timeout,omitempty"`
	Tags        []string          `json:"tags"`
	Metadata    map[string]string `json:"metadata"`
	Payload     json.RawMessage   `json:"payload"`
	Progress    *task.Progress    `json:"progress"`
	Attempts    []attempt         `json:"attempts"`
	Result      json.RawMessage   `json:"result"`
	// Error says why the last attempt failed; absent if none did.
	Error string `json:"error,omitempty"`
	Links links  `json:"links"`
}

// attempt is an ended attempt.
type attempt struct {
	Number  int    `json:"number"`
	Started string `json:"started"`
	Ended   string `json:"ended"`
	Error   string `json:"error,omitempty"`
}

func viewOf(t task.Task) view {
	v := view{
		ID: t.ID, Type: t.Type, Status: t.Status.Label(), CreatedAt: format(t.CreatedAt), Duration: seconds(t.Duration),
		RunAt: format(t.RunAt), Priority: t.Priority, FairnessKey: t.FairnessKey, MaxAttempts: t.MaxAttempts, Timeout: seconds(t.Timeout),
		Tags: t.Tags, Metadata: t.Metadata, Payload: t.Payload, Progress: t.Progress, Result: t.Result, Error: t.Error, Links: linksOf(t.ID),
		Attempts: []attempt{},
	}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	if !t.ExpiresAt.IsZero() {
		at := format(t.ExpiresAt)
		v.ExpiresAt = &at
	}
	for _, a := range t.Attempts {
		v.Attempts = append(v.Attempts, attempt{a.Number, format(a.Started), format(a.Ended), a.Error})
	}
	return v
}

// The bounds of a Retry-After. A scheduled task may wait longer than a running one, whose end is only a guess.
const (
	soonest    = time.Second
	latest     = time.Hour
	latestRuns = 5 * time.Minute
)

// askAgain says when it is worth asking for a task again (RFC 9110, section 10.2.3). A scheduled task: when it may
// start. A running task: after half of the time that its progress leaves; the progress comes with a heartbeat and is
// seconds old. Without progress, after a quarter of the time that it has run. An ended task does not change.
func askAgain(w http.ResponseWriter, t task.Task) {
	var wait time.Duration
	switch t.Status {
	case task.Pending:
		wait = time.Until(t.RunAt)
	case task.Running:
		wait = min(t.Duration/4, time.Minute)
		if p := t.Progress; p != nil && p.Done > 0 && p.Total > p.Done {
			left := float64(p.Total-p.Done) / float64(p.Done) * float64(t.Duration)
			wait = time.Duration(min(left/2, float64(latestRuns)))
		}
	default:
		return
	}
	wait = min(max(wait, soonest), latest)
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}
