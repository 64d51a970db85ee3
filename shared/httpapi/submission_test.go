package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/iowork"
	"github.com/eragon-mdi/ksu/shared/task"
)

type fetchPayload struct {
	URL   string `json:"url" jsonschema:"format=uri"`
	Depth int    `json:"depth,omitempty" jsonschema:"minimum=1"`
}

func fetch(context.Context, job.Task, fetchPayload) (int, error) { return 0, nil }

// options have the simulated job and a job with limits.
var options = httpapi.Options{
	Jobs: job.NewCatalogue(
		job.New(iowork.Name, func(context.Context, job.Task, iowork.Payload) (string, error) { return "", nil }),
		job.New("fetch", fetch, job.Timeout(time.Minute), job.MaxAttempts(5), job.MaxRunning(20), job.MaxRunningPerKey(4), job.Priority(3)),
	),
	MaxAttempts: 10,
	MaxTimeout:  310 * time.Second,
}

func TestASubmissionSaysWhatItsTaskIs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 500_000_000, time.UTC)
	for body, want := range map[string]task.Submission{
		``:                               {Type: "iowork"},
		`{}`:                             {Type: "iowork"},
		`{"type":"iowork","payload":{}}`: {Type: "iowork", Payload: json.RawMessage(`{}`)},
		`{"run_at":"2026-01-02T04:04:05.5+01:00"}`: {Type: "iowork", RunAt: at},
		`{"type":"fetch","payload":{"url":"https://x"}}`: {
			Type: "fetch", Payload: json.RawMessage(`{"url":"https://x"}`), MaxAttempts: 5, Priority: 3, // the job's time-out counts as it is when the task starts
		},
		`{"type":"fetch","payload":{"url":"https://x","depth":2},"delay":90,"priority":1,"fairness_key":"team:a/1","max_attempts":2,
			"timeout":30,"ttl":3600,"tags":["nightly","ä b"],"metadata":{"order":"7","note":""}}`: {
			Type: "fetch", Payload: json.RawMessage(`{"url":"https://x","depth":2}`), Delay: 90 * time.Second, Priority: 1, FairnessKey: "team:a/1",
			MaxAttempts: 2, Timeout: 30 * time.Second, TTL: time.Hour, Tags: []string{"nightly", "ä b"}, Metadata: map[string]string{"order": "7", "note": ""},
		},
		`{"delay":0,"max_attempts":10,"timeout":310}`: {Type: "iowork", MaxAttempts: 10, Timeout: 310 * time.Second},
	} {
		s := &tasks{task: task.Task{ID: id, CreatedAt: created}}
		w := serve(s, "POST", "/task", body)
		if w.Code != 201 || !reflect.DeepEqual(s.submission, want) {
			t.Errorf("%s: %d %s\nasks for %+v\nwant     %+v", body, w.Code, w.Body, s.submission, want)
		}
		if !strings.Contains(w.Body.String(), `"type":"`+want.Type+`"`) {
			t.Errorf("%s: answer %s", body, w.Body)
		}
	}
}

func TestEverythingWrongWithASubmissionIsNamed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2000)
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"t",`, n), ",") }
	for body, want := range map[string][]string{
		`{"when":1,"Type":"x"}`: {
			"#/Type is unknown; allowed are type, payload, run_at, delay, priority, fairness_key, max_attempts, timeout, ttl, tags, metadata",
			"#/when is unknown; allowed are type, payload, run_at, delay, priority, fairness_key, max_attempts, timeout, ttl, tags, metadata",
		},
		`{"type":7}`:                      {"#/type is 7; allowed is a string"},
		`{"type":null,"payload":7}`:       {"#/type is null; allowed is a string"},
		`{"type":""}`:                     {"#/type is empty"},
		`{"type":"nowork","payload":7}`:   {`#/type job "nowork" is unknown; known are: fetch, iowork`},
		`{"type":"fetch"}`:                {"#/payload/url is missing"},
		`{"type":"fetch","payload":null}`: {"#/payload is null; allowed is an object"},
		`{"type":"fetch","payload":{"depth":0,"a b%/c":1,"url":7}}`: {
			"#/payload/a%20b%25~1c is unknown; allowed are depth, url", "#/payload/depth is out of range; allowed are numbers from 1",
			"#/payload/url is a whole number; allowed is a string",
		},
		`{"ttl":2,"delay":5}`:                         {"#/ttl ends before the delay of 5 s; allowed are more seconds"},
		`{"payload":{"minutes":3}}`:                   {"#/payload/minutes is unknown; allowed are no members"},
		`{"run_at":"tomorrow"}`:                       {`#/run_at is "tomorrow"; allowed is a time such as 2026-01-02T03:04:05Z (RFC 3339)`},
		`{"run_at":1}`:                                {`#/run_at is 1; allowed is a time such as 2026-01-02T03:04:05Z (RFC 3339)`},
		`{"run_at":"9999-01-01T00:00:00Z"}`:           {"#/run_at is more than 365 days ahead"},
		`{"run_at":"0000-01-01T00:00:00Z"}`:           {"#/run_at is before the year 1"},
		`{"run_at":"2026-01-02T03:04:05Z","delay":1}`: {"#/delay excludes run_at; give one of them"},
		`{"delay":-1}`:                                {"#/delay is -1; allowed is a whole number of seconds from 0 to 31536000"},
		`{"delay":1.5}`:                               {"#/delay is 1.5; allowed is a whole number of seconds from 0 to 31536000"},
		`{"delay":"5m"}`:                              {`#/delay is "5m"; allowed is a whole number of seconds from 0 to 31536000`},
		`{"delay":99999999999999999999}`:              {"#/delay is 99999999999999999999; allowed is a whole number of seconds from 0 to 31536000"},
		`{"priority":5}`:                              {"#/priority is 5; allowed is a whole number from 1 to 4"},
		`{"priority":0,"ttl":0,"timeout":0,"max_attempts":0}`: {
			"#/priority is 0; allowed is a whole number from 1 to 4", "#/max_attempts is 0; allowed is a whole number from 1 to 10",
			"#/timeout is 0; allowed is a whole number of seconds from 1 to 310", "#/ttl is 0; allowed is a whole number of seconds from 1 to 31536000",
		},
		`{"max_attempts":11,"timeout":311}`: {
			"#/max_attempts is 11; allowed is a whole number from 1 to 10", "#/timeout is 311; allowed is a whole number of seconds from 1 to 310",
		},
		`{"type":"fetch","payload":{"url":"https://x"},"max_attempts":6,"timeout":61}`: {
			"#/max_attempts is 6; allowed is a whole number from 1 to 5", "#/timeout is 61; allowed is a whole number of seconds from 1 to 60",
		},
		`{"fairness_key":"a b"}`:          {"#/fairness_key is another text; allowed is 1 to 128 visible ASCII characters"},
		`{"fairness_key":"` + long + `"}`: {"#/fairness_key is another text; allowed is 1 to 128 visible ASCII characters"},
		`{"fairness_key":{}}`:             {"#/fairness_key is a JSON object; allowed is 1 to 128 visible ASCII characters"},
		`{"tags":"a"}`:                    {`#/tags is "a"; allowed is an array of strings`},
		`{"tags":["a","","a","\u0000"]}`: {
			"#/tags/1 is another text; allowed are 1 to 64 characters without control characters", "#/tags/2 stands twice, first as tag 0",
			"#/tags/3 is another text; allowed are 1 to 64 characters without control characters",
		},
		`{"tags":[` + many(17) + `]}`: {"#/tags has 17 tags; allowed are 16 or fewer"},
		`{"metadata":{"a":1}}`:        {"#/metadata is a JSON object; allowed is an object whose values are strings"},
		`{"metadata":{"":"","b":"` + long + `","c":"\u0000"}}`: {
			"#/metadata/ has another name; allowed are 1 to 64 characters without control characters",
			"#/metadata/b has another value; allowed are up to 1024 characters without NUL",
			"#/metadata/c has another value; allowed are up to 1024 characters without NUL",
		},
		`{"type":"` + long + `"}`: {`#/type job "` + long + `" is unknown; known are: fetch, iowork`},
	} {
		s := &tasks{}
		w := serve(s, "POST", "/task", body)
		var p struct {
			Status int
			Type   string
			Errors []struct{ Detail, Pointer string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 422 || p.Status != 422 || s.asked || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.80s: %d %s, asked %t, %v", body, w.Code, w.Body, s.asked, err)
		}
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Pointer+" "+e.Detail)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.200s:\n got %q\nwant %q", body, got, want)
		}
	}
}

func TestTheKeyCoversTheBody(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		s := &tasks{}
		if w := serveWith(s, "POST", "/task", body, "Idempotency-Key", "k"); w.Code != 201 {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		return fmt.Sprintf("%x", s.key.Request)
	}
	if a, b := key(`{"delay":1,"priority":2}`), key(" {\"priority\": 2,\n\"delay\":1} "); a != b {
		t.Error("the order of members and the spaces between them make another request")
	}
	seen := map[string]string{}
	for _, body := range []string{`{}`, `{"delay":1}`, `{"delay":2}`, `{"priority":1}`, `{"type":"fetch","payload":{"url":"https://a"}}`, `{"type":"fetch","payload":{"url":"https://b"}}`} {
		if other, taken := seen[key(body)]; taken {
			t.Errorf("%s is the same request as %s", body, other)
		}
		seen[key(body)] = body
	}
}

func TestAChangeOfAWaitingTask(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]task.Change{
		`{"priority":1}`:                                 {Priority: 1},
		`{"run_at":"2026-01-02T03:04:05Z"}`:              {RunAt: at},
		`{"run_at":"2026-01-02T03:04:05Z","priority":4}`: {RunAt: at, Priority: 4},
	} {
		s := &tasks{task: task.Task{ID: id, Status: task.Pending}}
		if w := serve(s, "PATCH", "/task/"+id.String(), body); w.Code != 200 || s.change != want {
			t.Errorf("%s: %d %s, change %+v", body, w.Code, w.Body, s.change)
		}
	}
	for _, body := range []string{`{}`, `{"priority":0}`, `{"priority":null}`, `{"delay":1}`, `{"run_at":"x"}`, `{"type":"fetch"}`} {
		s := &tasks{}
		if w := serve(s, "PATCH", "/task/"+id.String(), body); w.Code != 422 || s.asked || !strings.Contains(w.Body.String(), `"pointer":"#`) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestJobsAreListedWithTheirSchemas(t *testing.T) {
	t.Parallel()
	w := serve(&tasks{}, "GET", "/job", "")
	const want = `[{"name":"fetch","timeout":60,"max_attempts":5,"max_running":20,"max_running_per_key":4,"priority":3,` +
		`"payload_schema":{"properties":{"url":{"type":"string","format":"uri"},"depth":{"type":"integer","minimum":1}},"additionalProperties":false,"type":"object","required":["url"]},` +
		`"result_schema":{"type":"integer"}},` +
		`{"name":"iowork","payload_schema":{"properties":{},"additionalProperties":false,"type":"object"},"result_schema":{"type":"string"}}]`
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s\nwant %s", w.Code, w.Body, want)
	}
}

// FuzzSubmission checks that every body becomes a task, or gets an answer that says what is wrong with it.
func FuzzSubmission(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"type":"fetch","payload":{"url":"https://x"},"delay":1,"tags":["a"],"metadata":{"b":"c"}}`, `{"run_at":"2026-01-02T03:04:05Z"}`,
		`{"priority":9,"timeout":1e3,"ttl":1e99,"max_attempts":null}`, `{"a/~%":"\ud800"}`, "[]", "{\"a\":\"\xff\"}", `{"tags":[""],"fairness_key":"ä"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := &tasks{task: task.Task{ID: id, CreatedAt: created}}
		w := serve(s, "POST", "/task", body)
		var answer struct {
			ID     string
			Detail string
			Errors []struct{ Detail, Pointer string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%q: %s: %v", body, w.Body, err)
		}
		switch {
		case w.Code == 201 && s.asked && answer.ID == id.String():
		case w.Code == 400 && !s.asked && answer.Detail != "":
		case w.Code == 422 && !s.asked && len(answer.Errors) > 0:
			for _, e := range answer.Errors {
				if u, err := url.Parse(e.Pointer); err != nil || !strings.HasPrefix(e.Pointer, "#") || e.Detail == "" || u.Fragment != "" && u.Fragment[0] != '/' {
					t.Errorf("%q: problem %+v, %v", body, e, err)
				}
			}
		default:
			t.Errorf("%q: %d %s, asked %t", body, w.Code, w.Body, s.asked)
		}
	})
}
