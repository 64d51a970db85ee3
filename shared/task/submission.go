package task

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Submission is a client's request. The zero value requests the default job, at once.
type Submission struct {
	// Type names the job; default DefaultType.
	Type string
	// Payload is the job's input, a JSON value; nil for no input.
	Payload json.RawMessage
	// RunAt is the earliest start, by the store's clock; the zero value means at once. Delay takes precedence. A task
	// that was created with neither shows its CreatedAt. The wait before a retry moves it.
	RunAt time.Time
	// Delay is the wait before the task may start. It is for submissions: a stored task has RunAt.
	Delay time.Duration
	// Priority orders the tasks of one fairness key: MaxPriority starts first; default DefaultPriority.
	Priority int
	// FairnessKey names the share of the workers that the task counts towards; default Owner.
	FairnessKey string
	// MaxAttempts is the number of all attempts; 0 means the worker's own limit.
	MaxAttempts int
	// Timeout is how long an attempt may take; 0 means the job's own limit.
	Timeout time.Duration
	// ExpiresAt is the time at which a task that has not started fails; the zero value means never. TTL takes
	// precedence.
	ExpiresAt time.Time
	// TTL is how long the task may wait from its submission. It is for submissions: a stored task has ExpiresAt.
	TTL time.Duration
	// Tags are words by which a client finds its tasks.
	Tags []string
	// Metadata belongs to the client; ksu only stores it.
	Metadata map[string]string
	// Owner is the owner of the task; default DefaultOwner.
	Owner string
	// Trace is the X-Ray header of the submission, which the run continues; empty without a trace.
	Trace string
}

const (
	// DefaultType is the job of a submission without a type: the simulated job, once the only one.
	DefaultType = "iowork"
	// DefaultOwner is the owner of tasks while the API does not distinguish callers.
	DefaultOwner = "local"
	// MaxPriority starts first and MinPriority last. One priority is above the default and two are below.
	MaxPriority, DefaultPriority, MinPriority = 1, 2, 4
)

// WithDefaults returns a copy of the submission with default values in its empty fields. The copy shares no mutable
// data with the original.
func (s Submission) WithDefaults() Submission {
	if s.Type == "" {
		s.Type = DefaultType
	}
	if s.Owner == "" {
		s.Owner = DefaultOwner
	}
	if s.FairnessKey == "" {
		s.FairnessKey = s.Owner
	}
	if s.Priority == 0 {
		s.Priority = DefaultPriority
	}
	s.Tags, s.Metadata = slices.Clone(s.Tags), maps.Clone(s.Metadata)
	return s
}

// Change is an update of a waiting task. The zero value of a field leaves it unchanged.
type Change struct {
	// RunAt is the earliest start; a time in the past means at once.
	RunAt time.Time
	// Priority is MaxPriority to MinPriority.
	Priority int
}

// MaxDelay is the longest delay of a permit: SQS allows 15 minutes. If a task waits longer, the sweeper sends its
// permit.
const MaxDelay = 15 * time.Minute

// New returns a task as it is right after its creation at the given time.
func New(id uuid.UUID, submission Submission, created time.Time) Task {
	t := Task{ID: id, Submission: submission, Status: Pending, CreatedAt: created.UTC()}
	switch {
	case t.Delay != 0:
		t.RunAt = created.Add(t.Delay)
	case t.RunAt.IsZero():
		t.RunAt = created
	}
	if t.TTL != 0 {
		t.ExpiresAt = created.Add(t.TTL).UTC()
	}
	t.RunAt, t.Delay, t.TTL = t.RunAt.UTC(), 0, 0
	return t
}

// EncodeProgress returns the text that stores keep for a job's progress, which DecodeColumns reads; nil for no progress.
func EncodeProgress(p *Progress) *string {
	if p == nil {
		return nil
	}
	encoded, err := json.Marshal(p)
	if err != nil {
		panic(err) // two numbers and a string always encode
	}
	text := Text(string(encoded))
	return &text
}

// DecodeColumns reads the fields that stores keep as JSON. An empty text leaves its field empty.
func (t *Task) DecodeColumns(progress, metadata, attempts []byte) error {
	for name, c := range map[string]struct {
		text []byte
		into any
	}{"progress": {progress, &t.Progress}, "metadata": {metadata, &t.Metadata}, "attempts": {attempts, &t.Attempts}} {
		if len(c.text) == 0 {
			continue
		}
		if err := json.Unmarshal(c.text, c.into); err != nil {
			return fmt.Errorf("decode the %s of task %s: %w", name, t.ID, err)
		}
	}
	for i, a := range t.Attempts {
		t.Attempts[i].Started, t.Attempts[i].Ended = a.Started.UTC(), a.Ended.UTC()
	}
	return nil
}
