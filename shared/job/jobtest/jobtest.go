// Package jobtest runs a job without database, queue or process.
package jobtest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
)

// Run runs one attempt of a job as the service does: the payload passes through JSON and the job's schema, and so does
// the result. edit may change the task, which otherwise is a new one in its first attempt. The job's Timeout ends its
// context. Reports of progress go to the job.Reporter of ctx, if it has one.
//
// The error is a *job.InvalidPayload where the API would refuse the submission, or the job's own, which job.RetryAfter
// reads.
func Run[Out any](ctx context.Context, j *job.Job, payload any, edit ...func(*job.Task)) (out Out, err error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return out, fmt.Errorf("encode the payload: %w", err)
	}
	if err := j.Validate(text); err != nil {
		return out, err
	}
	if timeout := j.Options().Timeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	t := job.Task{Attempt: 1}
	if t.ID, err = uuid.NewV7(); err != nil {
		return out, fmt.Errorf("make a task id: %w", err)
	}
	t.Deadline, _ = ctx.Deadline()
	for _, change := range edit {
		change(&t)
	}
	result, err := j.Run(ctx, t, text)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return out, fmt.Errorf("decode the result: %w", err)
	}
	return out, nil
}
