package jobs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/job/jobs"
	"github.com/eragon-mdi/ksu/shared/task"
)

// TestEachJobHasSchemas finds a job whose payload or result has a type, or a tag, that no schema can say.
func TestEachJobHasSchemas(t *testing.T) {
	t.Parallel()
	cfg, err := config.Read(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	catalogue := jobs.New(cfg)
	for _, j := range catalogue.All() {
		for what, of := range map[string]func() (json.RawMessage, error){"payload": j.PayloadSchema, "result": j.ResultSchema} {
			if schema, err := of(); err != nil || !json.Valid(schema) {
				t.Errorf("job %s: schema of the %s: %s, %v", j.Name(), what, schema, err)
			}
		}
	}
	if work, ok := catalogue.Lookup(task.DefaultType); !ok || work.Validate(nil) != nil {
		t.Errorf("the default job %q is unknown or does not take an empty payload", task.DefaultType)
	}
	if _, ok := catalogue.Lookup("nowork"); ok {
		t.Error("an unknown job is found")
	}
	if err := catalogue.Unknown("nowork"); !strings.Contains(err.Error(), `"nowork"`) || !strings.Contains(err.Error(), "iowork") {
		t.Errorf("unknown job: %v", err)
	}
}
