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

// TestHTTPHasTheLimitsOfTheConfiguration checks that the job http has the limits of the deployment, and none by default.
func TestHTTPHasTheLimitsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env               map[string]string
		running, ofOneKey int
	}{
		{nil, 0, 0},
		{map[string]string{"JOB_HTTP_MAX_RUNNING": "", "JOB_HTTP_MAX_RUNNING_PER_KEY": ""}, 0, 0},
		{map[string]string{"JOB_HTTP_MAX_RUNNING": "9", "JOB_HTTP_MAX_RUNNING_PER_KEY": "2"}, 9, 2},
	} {
		cfg, err := config.Read(func(name string) string { return c.env[name] })
		if err != nil {
			t.Fatal(err)
		}
		j, _ := jobs.New(cfg).Lookup("http")
		if o := j.Options(); o.MaxRunning != c.running || o.MaxRunningPerKey != c.ofOneKey {
			t.Errorf("%v: the limits are %d and %d, want %d and %d", c.env, o.MaxRunning, o.MaxRunningPerKey, c.running, c.ofOneKey)
		}
	}
}
