package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/schema"
)

type request struct {
	URL  string   `json:"url" jsonschema:"format=uri"`
	Tags []string `json:"tags,omitempty" jsonschema:"maxItems=2"`
}

type answer struct {
	Size    int    `json:"size"`
	Attempt int    `json:"attempt"`
	Task    string `json:"task"`
}

func fetch(_ context.Context, t job.Task, in request) (answer, error) {
	return answer{len(in.URL), t.Attempt, t.ID.String()}, nil
}

func TestATypedFunctionIsAJob(t *testing.T) {
	t.Parallel()
	j := job.New("fetch", fetch, job.Timeout(time.Minute), job.MaxAttempts(5), job.MaxRunning(20), job.MaxRunningPerKey(4), job.Priority(3))
	if want := (job.Options{Timeout: time.Minute, MaxAttempts: 5, MaxRunning: 20, MaxRunningPerKey: 4, Priority: 3}); j.Options() != want || j.Name() != "fetch" {
		t.Errorf("job %s has the options %+v", j.Name(), j.Options())
	}
	id := uuid.New()
	result, err := j.Run(t.Context(), job.Task{ID: id, Attempt: 2}, json.RawMessage(`{"url":"https://x"}`))
	if want := `{"size":9,"attempt":2,"task":"` + id.String() + `"}`; err != nil || string(result) != want {
		t.Errorf("result %s, %v; want %s", result, err, want)
	}
	if _, err := j.Run(t.Context(), job.Task{}, json.RawMessage(`{"url":7}`)); err == nil || !strings.Contains(err.Error(), "read the payload of job fetch") {
		t.Errorf("payload of another type: %v", err)
	}
	payload, errP := j.PayloadSchema()
	resultSchema, errR := j.ResultSchema()
	if errP != nil || errR != nil {
		t.Fatal(errP, errR)
	}
	if want := `{"properties":{"url":{"type":"string","format":"uri"},"tags":{"items":{"type":"string"},"type":"array","maxItems":2}},"additionalProperties":false,"type":"object","required":["url"]}`; string(payload) != want {
		t.Errorf("payload schema %s, want %s", payload, want)
	}
	if !strings.Contains(string(resultSchema), `"required":["size","attempt","task"]`) {
		t.Errorf("result schema %s", resultSchema)
	}
}

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	j := job.New("fetch", fetch)
	var invalid *job.InvalidPayload
	if err := j.Validate(json.RawMessage(`{"tags":["a",1,"c"],"when":0}`)); !errors.As(err, &invalid) {
		t.Fatalf("error %v", err)
	}
	want := []schema.Problem{
		{Pointer: "/url", Detail: "is missing"},
		{Pointer: "/tags", Detail: "has 3 items; allowed are 2 or fewer"},
		{Pointer: "/tags/1", Detail: "is a whole number; allowed is a string"},
		{Pointer: "/when", Detail: "is unknown; allowed are tags, url"},
	}
	if len(invalid.Problems) != len(want) {
		t.Fatalf("problems %+v", invalid.Problems)
	}
	for i := range want {
		if invalid.Problems[i] != want[i] {
			t.Errorf("problem %+v, want %+v", invalid.Problems[i], want[i])
		}
	}
	if err := j.Validate(json.RawMessage(`{"url":"https://x"}`)); err != nil {
		t.Errorf("a valid payload: %v", err)
	}
}

func TestATypeWithoutSchemaIsAnError(t *testing.T) {
	t.Parallel()
	j := job.New("odd", func(context.Context, job.Task, struct{ C chan int }) (int, error) { return 0, nil })
	var invalid *job.InvalidPayload
	if err := j.Validate(nil); err == nil || errors.As(err, &invalid) {
		t.Errorf("error %v, want one that blames the job", err)
	}
}

func TestWrongJobsPanic(t *testing.T) {
	t.Parallel()
	ok := func(context.Context, job.Task, struct{}) (int, error) { return 0, nil }
	for name, build := range map[string]func(){
		"no name":       func() { job.New("", ok) },
		"capitals":      func() { job.New("Fetch", ok) },
		"inner space":   func() { job.New("a b", ok) },
		"too long":      func() { job.New(strings.Repeat("a", 65), ok) },
		"timeout":       func() { job.New("a", ok, job.Timeout(0)) },
		"attempts":      func() { job.New("a", ok, job.MaxAttempts(101)) },
		"running":       func() { job.New("a", ok, job.MaxRunning(-1)) },
		"running a key": func() { job.New("a", ok, job.MaxRunningPerKey(0)) },
		"priority":      func() { job.New("a", ok, job.Priority(5)) },
		"two of a name": func() { job.NewCatalogue(job.New("a", ok), job.New("a", ok)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			build()
		}()
	}
}

func TestProgressKeepsTheLatestReport(t *testing.T) {
	t.Parallel()
	job.Progress(t.Context(), 1, 2, "nobody listens")
	var r job.Reporter
	ctx := job.WithReporter(t.Context(), &r)
	if got, changed := r.Latest(); got != (job.Report{}) || changed {
		t.Errorf("before the first report: %+v, %t", got, changed)
	}
	job.Progress(ctx, 1, 10, "one")
	job.Progress(ctx, 2, 10, "two")
	if got, changed := r.Latest(); got != (job.Report{Done: 2, Total: 10, Note: "two"}) || !changed {
		t.Errorf("latest report %+v, %t", got, changed)
	}
	job.Progress(ctx, 2, 10, "two")
	if _, changed := r.Latest(); changed {
		t.Error("the same report counts as a change")
	}
	job.Progress(ctx, -1, -1, strings.Repeat("ä", 150))
	got, _ := r.Latest()
	if got.Done != 0 || got.Total != 0 || len(got.Note) > job.MaxNote || len(got.Note) < job.MaxNote-1 || !utf8.ValidString(got.Note) {
		t.Errorf("report %+v", got)
	}
}
