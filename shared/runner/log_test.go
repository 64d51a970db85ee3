package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/runner"
)

// logged is a job that says something.
type logged struct{ log *logging.Logger }

func (j logged) Run(ctx context.Context, _ uuid.UUID) (string, error) {
	j.log.InfoContext(ctx, "job works")
	return "yes", nil
}

var _ job.Job = logged{}

// TestLinesCarryTaskAndTrace holds every line of a run, the job's own included, to the task, its attempt and the trace
// that the message brought.
func TestLinesCarryTaskAndTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := logging.Open(logging.Config{Writer: &out})
	if err != nil {
		t.Fatal(err)
	}
	r := runner.New(&store{claim: func() (int, error) { return 2, nil }}, logged{log}, log.Logger, runner.Config{})
	_, err = r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "m1", Body: message(), Attributes: map[string]string{"AWSTraceHeader": "Root=1-5-7;Sampled=0"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Msg     string
		Task    string `json:"task_id"`
		Trace   string `json:"trace_id"`
		Message string `json:"message_id"`
		Attempt int
	}
	for _, msg := range []string{"task started", "job works", "task completed"} {
		text, err := out.ReadBytes('\n')
		if err != nil {
			t.Fatalf("no line %q: %v", msg, err)
		}
		var got line
		want := line{msg, id.String(), "1-5-7", "m1", 2}
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("line %s, %v; want %+v", text, err, want)
		}
	}
}
