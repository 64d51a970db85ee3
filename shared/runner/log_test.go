package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/task"
)

// TestLinesCarryTaskAndTrace checks that every line of a run, the job's own included, has the task, its attempt and the
// trace of its submission, whichever permit led to it.
func TestLinesCarryTaskAndTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := logging.Open(logging.Config{Writer: &out})
	if err != nil {
		t.Fatal(err)
	}
	logged := work(func(ctx context.Context) (string, error) {
		log.InfoContext(ctx, "job works")
		return "yes", nil
	})
	r := runner.New(&store{
		claim: func() (int, error) { return 2, nil }, task: task.Task{Submission: task.Submission{Trace: "Root=1-5-7;Sampled=0"}},
	}, &sent{}, logged.job(), log.Logger, runner.Config{})
	_, err = r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "m1", Attributes: map[string]string{"AWSTraceHeader": "Root=1-another;Sampled=0"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Msg     string
		Task    string `json:"task_id"`
		Trace   string `json:"trace_id"`
		Attempt int
	}
	for _, msg := range []string{"task started", "job works", "task completed"} {
		text, err := out.ReadBytes('\n')
		if err != nil {
			t.Fatalf("no line %q: %v", msg, err)
		}
		var got line
		want := line{msg, id.String(), "1-5-7", 2}
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("line %s, %v; want %+v", text, err, want)
		}
	}
}
