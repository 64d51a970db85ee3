package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/eragon-mdi/ksu/shared/job/schema"
)

// InvalidPayload says everything that is wrong with a payload.
type InvalidPayload struct {
	// Job is the name of the job.
	Job string
	// Problems are at least one.
	Problems []schema.Problem
}

// Error implements error: one line with all problems.
func (e *InvalidPayload) Error() string {
	var all []string
	for _, p := range e.Problems {
		at := p.Pointer
		if at == "" {
			at = "the payload"
		}
		all = append(all, at+" "+p.Detail)
	}
	return fmt.Sprintf("payload of job %s: %s", e.Job, strings.Join(all, "; "))
}

// Checker is a payload with limits that no schema can say. Validate calls Check on what the schema lets through.
type Checker interface {
	// Check returns what is wrong, with pointers from the payload's root; nil is a valid payload.
	Check() []schema.Problem
}

// decode reads a payload that fits its schema and returns what is wrong with it all the same.
func decode(payload json.RawMessage, in any) []schema.Problem {
	if err := json.Unmarshal(payload, in); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return []schema.Problem{{
				Pointer: "/" + strings.ReplaceAll(wrong.Field, ".", "/"), Detail: fmt.Sprintf("does not fit into %s", wrong.Type),
			}}
		}
		return []schema.Problem{{Pointer: "", Detail: "cannot be read: " + err.Error()}}
	}
	if checker, ok := in.(Checker); ok {
		return checker.Check()
	}
	return nil
}
