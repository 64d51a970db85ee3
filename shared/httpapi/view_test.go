package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

func TestATaskShowsAllOfIt(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return created.Add(time.Duration(second) * time.Second) }
	failed := task.Task{
		ID: id, Status: task.Failed, Error: "reset", Attempt: 2, CreatedAt: created, Duration: 3 * time.Second,
		Submission: task.Submission{
			Type: "fetch", Payload: json.RawMessage(`{"url":"https://x"}`), RunAt: at(1), Priority: 1, FairnessKey: "a", MaxAttempts: 2, Timeout: time.Minute,
			ExpiresAt: at(60), Tags: []string{"t"}, Metadata: map[string]string{"k": "v"}, Owner: "secret", Trace: "secret",
		},
		Attempts: []task.AttemptRecord{{Number: 1, Started: at(2), Ended: at(3), Error: "cut"}, {Number: 2, Started: at(4), Ended: at(6), Error: "reset"}},
		Progress: &task.Progress{Done: 1, Total: 2, Note: "half"},
	}
	const links = `"links":{"task":"/task/%[1]s","status":"/task/%[1]s/status","result":"/task/%[1]s/result"}}`
	for want, shown := range map[string]task.Task{
		`{"id":"%[1]s","type":"fetch","status":"failed by io bound","created_at":"2026-01-02T03:04:05.678900Z","duration":3,` +
			`"run_at":"2026-01-02T03:04:06.678900Z","expires_at":"2026-01-02T03:05:05.678900Z","priority":1,"fairness_key":"a","max_attempts":2,"timeout":60,` +
			`"tags":["t"],"metadata":{"k":"v"},"payload":{"url":"https://x"},"progress":{"done":1,"total":2,"note":"half"},` +
			`"attempts":[{"number":1,"started":"2026-01-02T03:04:07.678900Z","ended":"2026-01-02T03:04:08.678900Z","error":"cut"},` +
			`{"number":2,"started":"2026-01-02T03:04:09.678900Z","ended":"2026-01-02T03:04:11.678900Z","error":"reset"}],"result":null,"error":"reset",` + links: failed,
		`{"id":"%[1]s","type":"iowork","status":"completed","created_at":"2026-01-02T03:04:05.678900Z","duration":0,` +
			`"run_at":"2026-01-02T03:04:05.678900Z","expires_at":null,"priority":2,"fairness_key":"local","tags":[],"metadata":{},"payload":null,` +
			`"progress":null,"attempts":[],"result":{"size":1},` + links: {
			ID: id, Status: task.Completed, CreatedAt: created, Result: json.RawMessage(`{"size":1}`),
			Submission: task.Submission{RunAt: created}.WithDefaults(),
		},
	} {
		want = fmt.Sprintf(want, id)
		for method, path := range map[string]string{"GET": "/task/" + id.String(), "POST": "/task/" + id.String() + "/retry"} {
			if w := serve(&tasks{task: shown}, method, path, ""); w.Code != 200 || w.Body.String() != want || w.Header().Get("Retry-After") != "" {
				t.Errorf("%s %s: %d %v %s\nwant %s", method, path, w.Code, w.Header(), w.Body, want)
			}
		}
	}
}

func TestRetryAfterFits(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) task.Submission { return task.Submission{RunAt: time.Now().Add(d)} }
	running := func(d time.Duration, p *task.Progress) task.Task {
		return task.Task{Status: task.Running, Duration: d, Progress: p}
	}
	for name, c := range map[string]struct {
		task task.Task
		want string
	}{
		"waiting":              {task.Task{Status: task.Pending, Submission: in(-time.Hour)}, "1"},
		"planned":              {task.Task{Status: task.Pending, Submission: in(90 * time.Second)}, "90"},
		"planned for tomorrow": {task.Task{Status: task.Pending, Submission: in(24 * time.Hour)}, "3600"},
		"just started":         {running(0, nil), "1"},
		"running":              {running(2*time.Minute, nil), "30"},
		"running long":         {running(time.Hour, nil), "60"},
		"half done":            {running(40*time.Second, &task.Progress{Done: 50, Total: 100}), "20"},
		"of unknown length":    {running(40*time.Second, &task.Progress{Done: 50}), "10"},
		"nearly never":         {running(time.Hour, &task.Progress{Done: 1, Total: 1 << 62}), "300"},
		"completed":            {task.Task{Status: task.Completed}, ""},
		"failed":               {task.Task{Status: task.Failed}, ""},
	} {
		for _, path := range []string{"", "/status"} {
			if w := serve(&tasks{task: c.task}, "GET", "/task/"+id.String()+path, ""); w.Header().Get("Retry-After") != c.want {
				t.Errorf("%s: GET /task/{id}%s says Retry-After %q, want %q", name, path, w.Header().Get("Retry-After"), c.want)
			}
		}
	}
}

func TestAPageStaysBelowLambdasLimit(t *testing.T) {
	t.Parallel()
	var list []task.Task
	for range 1000 {
		list = append(list, task.Task{ID: uuid.New(), Status: task.Completed, Result: json.RawMessage(`"` + strings.Repeat(`\"`, 2000) + `"`), Error: strings.Repeat(`"`, 1000)})
	}
	list[0].Result, list[0].ResultSize = nil, 5002
	w := serve(&tasks{list: list}, "GET", "/task?limit=1000", "")
	var items []struct {
		ID         uuid.UUID
		Result     *string
		ResultSize int `json:"result_size"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &items); err != nil {
		t.Fatal(err)
	}
	if escaped, _ := json.Marshal(w.Body.String()); len(escaped) > 6<<20 {
		t.Errorf("the page has %d bytes in Lambda's answer", len(escaped))
	}
	if n := len(items); n < 100 || n > 999 || w.Header().Get("Link") != "<?cursor="+items[n-1].ID.String()+`&limit=1000>; rel="next"` {
		t.Errorf("%d tasks and the Link %q", n, w.Header().Get("Link"))
	}
	if items[0].Result != nil || items[0].ResultSize != 5002 || items[1].Result == nil || items[1].ResultSize != 0 {
		t.Errorf("a long result is shown as %+v, a short one as %+v", items[0], items[1])
	}
}
