// Package job is what a worker runs: a job is a typed function with a name, and a catalogue holds the jobs by name.
package job

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job/schema"
)

// Task is what a job learns of the task that it runs for, beside the payload.
type Task struct {
	// ID is the task's id. It is the same in each attempt, so that a remote system can recognize a repetition by it.
	ID uuid.UUID
	// Attempt counts the attempts of the task, this one included; the first is 1.
	Attempt int
	// FairnessKey and Tags are the submission's; "" and nil where it has none.
	FairnessKey string
	Tags        []string
	// Deadline is when the job's context ends; zero is no deadline.
	Deadline time.Time
	// Progress is the last report of the attempts before; zero in the first.
	Progress Report
}

// Job is a typed function under a name: New makes one. A Job serves many tasks at once.
type Job struct {
	name    string
	options Options
	run     func(context.Context, Task, json.RawMessage) (json.RawMessage, error)
	decode  func(json.RawMessage) []schema.Problem
	payload func() (*schema.Schema, error)
	result  func() (*schema.Schema, error)
}

// isName says whether a text can be a job's name, which stands in URLs, in metrics and in the store. It is no regular
// expression: to compile one would cost each cold start 0.2 ms.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] >= 'a' && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// New returns the job that runs a function under a name of lower-case letters, digits, - and _, which begins with a
// letter and has at most 64 characters. In is the payload and Out the result, as encoding/json has them; the schemas of
// both come from their json and jsonschema tags (see package schema).
//
// The function ends soon after its context does: the context ends when the task is deleted, when another worker holds
// it, at the task's time-out and before the function's own. Its error fails the task, unless Retryable marks it.
//
// New panics for a name or an option that is not allowed: the program is wrong, and each of its starts says so.
func New[In, Out any](jobName string, run func(context.Context, Task, In) (Out, error), options ...Option) *Job {
	if !isName(jobName) {
		panic(fmt.Sprintf("job name %q: allowed are lower-case letters, digits, - and _, at most 64, and a letter first", jobName))
	}
	j := &Job{
		name:    jobName,
		payload: sync.OnceValues(func() (*schema.Schema, error) { return schema.Of(reflect.TypeFor[In]()) }),
		result:  sync.OnceValues(func() (*schema.Schema, error) { return schema.Of(reflect.TypeFor[Out]()) }),
	}
	for _, option := range options {
		option(&j.options)
	}
	if err := j.options.check(); err != nil {
		panic(fmt.Sprintf("job %s: %v", jobName, err))
	}
	j.decode = func(payload json.RawMessage) []schema.Problem {
		var in In
		return decode(payload, &in)
	}
	j.run = func(ctx context.Context, t Task, payload json.RawMessage) (json.RawMessage, error) {
		var in In
		if err := json.Unmarshal(orEmpty(payload), &in); err != nil {
			return nil, fmt.Errorf("read the payload of job %s: %w", jobName, err)
		}
		out, err := run(ctx, t, in)
		if err != nil {
			return nil, err
		}
		result, err := json.Marshal(out)
		if err != nil {
			return nil, fmt.Errorf("write the result of job %s: %w", jobName, err)
		}
		return result, nil
	}
	return j
}

// Name is the name that submissions ask for the job by.
func (j *Job) Name() string { return j.name }

// Options are the job's own; fields that no option set are zero.
func (j *Job) Options() Options { return j.options }

// PayloadSchema is the JSON Schema of the payload. It fails for a type that has none; a test of the catalogue finds it.
func (j *Job) PayloadSchema() (json.RawMessage, error) { return document(j.payload) }

// ResultSchema is the JSON Schema of the result, as PayloadSchema.
func (j *Job) ResultSchema() (json.RawMessage, error) { return document(j.result) }

func document(of func() (*schema.Schema, error)) (json.RawMessage, error) {
	s, err := of()
	if err != nil {
		return nil, err
	}
	return s.JSON(), nil
}

// Run runs the job for a payload and returns the result as JSON. It does not check the payload: Validate does, at the
// submission. An empty payload is the empty object. The error is the function's own; a payload that In cannot hold is
// one too, and final.
func (j *Job) Run(ctx context.Context, t Task, payload json.RawMessage) (json.RawMessage, error) {
	return j.run(ctx, t, payload)
}

// Validate checks a payload against the job's schema, and by its Check where In is a Checker; an empty payload is the empty object. The error is an
// *InvalidPayload with all that is wrong, or says that the job's type has no schema.
func (j *Job) Validate(payload json.RawMessage) error {
	s, err := j.payload()
	if err != nil {
		return fmt.Errorf("schema of the payload of job %s: %w", j.name, err)
	}
	payload = orEmpty(payload)
	problems := s.Check(payload)
	if problems == nil {
		problems = j.decode(payload)
	}
	if problems != nil {
		return &InvalidPayload{Job: j.name, Problems: problems}
	}
	return nil
}

func orEmpty(payload json.RawMessage) json.RawMessage {
	if len(payload) == 0 {
		return json.RawMessage("{}")
	}
	return payload
}
