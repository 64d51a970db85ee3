package job

import (
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
