package lambda

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// runtime plays the runtime of an environment whose process itself does nothing.
type runtime struct {
	t   testing.TB
	url string
}

// play starts an environment and returns its runtime. The function's reserved concurrency is 1.
func play(t testing.TB, timeout time.Duration) (*rig, runtime) {
	t.Helper()
	return playOf(t, timeout, pointer(1))
}

func playOf(t testing.TB, timeout time.Duration, reserved *int) (*rig, runtime) {
	t.Helper()
	r := setup(t, Options{}, built{binary("broken"), spec.Function{Name: "f", Environment: map[string]string{"MODE": "never"},
		Timeout: timeout, ReservedConcurrency: reserved}})
	f, err := r.function("f")
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.warm()
	if err != nil {
		t.Fatal(err)
	}
	return r, r.runtime(e)
}

// runtime returns the runtime of an environment.
func (r *rig) runtime(e *environment) runtime {
	return runtime{t: r.t, url: "http://" + r.api.address + "/" + e.id}
}

// request returns the status, the request id and the body.
func (r runtime) request(method, path, body string, header ...string) (int, string, string) {
	r.t.Helper()
	request, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Lambda-Runtime-Aws-Request-Id"), string(text)
}

// ask requests an invocation; the request may end with the environment.
func (r runtime) ask() {
	request, _ := http.NewRequest("GET", r.url+nextPath, nil)
	if response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request); err == nil {
		_ = response.Body.Close()
	}
}

// awaitIdle waits until n environments of the played function wait for an invocation.
func (r *rig) awaitIdle(n int) {
	r.t.Helper()
	f, _ := r.function("f")
	until(r.t, "the environment is idle", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.idle) == n
	})
}

const (
	nextPath = "/2018-06-01/runtime/invocation/next"
	initPath = "/2018-06-01/runtime/init/error"
)

func TestTheOrderOfTheRuntimeAPI(t *testing.T) {
	t.Parallel()
	r, function := play(t, time.Minute)
	type result struct {
		out *spec.Output
		err error
	}
	results := make(chan result, 1)
	go func() { // the first invocation comes once the environment is idle
		r.awaitIdle(1)
		out, err := r.Invoke(context.Background(), "f", spec.Input{Payload: []byte(`"event"`), LogTail: true})
		results <- result{out, err}
	}()
	status, id, body := function.request("GET", nextPath, "")
	if status != 200 || body != `"event"` {
		t.Fatalf("next: %d %s", status, body)
	}
	answer := "/2018-06-01/runtime/invocation/" + id + "/response"
	for _, step := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", nextPath, 403, "neither a response nor an error"},
		{"POST", "/2018-06-01/runtime/invocation/other/response", 400, "InvalidRequestID"},
		{"POST", "/2018-06-01/runtime/invocation/" + id + "/else", 404, "not emulated"},
		{"POST", initPath, 403, "the init is over"},
		{"POST", "/2020-01-01/extension/register", 403, "during the init"},
		{"PUT", "/2022-07-01/telemetry", 404, "not emulated"},
		{"POST", answer, 202, "OK"},
		{"POST", answer, 400, "InvalidRequestID"},
	} {
		status, _, body := function.request(step.method, step.path, `{}`, "Lambda-Extension-Name", "x")
		if status != step.status || !strings.Contains(body, step.says) {
			t.Errorf("%s %s: %d %s, want %d %s", step.method, step.path, status, body, step.status, step.says)
		}
	}
	select {
	case <-results:
		t.Error("the invocation's log ended before the environment was free")
	default:
	}
	go function.ask()
	if got := <-results; got.err != nil || string(got.out.Payload) != "{}" {
		t.Errorf("got %+v", got)
	}
}

func TestAnAnswerCountsThoughTheEnvironmentHangsThen(t *testing.T) {
	t.Parallel()
	r, function := play(t, 300*time.Millisecond)
	results := make(chan *spec.Output, 1)
	go func() {
		r.awaitIdle(1)
		out, _ := r.Invoke(context.Background(), "f", spec.Input{})
		results <- out
	}()
	_, id, _ := function.request("GET", nextPath, "")
	function.request("POST", "/2018-06-01/runtime/invocation/"+id+"/response", `"done"`)
	if out := <-results; out == nil || string(out.Payload) != `"done"` || out.FunctionError != "" {
		t.Errorf("got %+v", out)
	}
	until(t, "the environment is killed", func() bool { return r.Running("f") == 0 })
}

func TestWhatTheRuntimeAPIRefuses(t *testing.T) {
	t.Parallel()
	_, function := play(t, time.Minute)
	for _, step := range []struct {
		path, name, body string
		says             string
	}{
		{"/2020-01-01/extension/register", "x", `{"events":["INVOKE"]}`, "extension events are not emulated"},
		{"/2020-01-01/extension/register", "x", `{`, "register an extension"},
		{"/2020-01-01/extension/register", "", `{}`, "no name"},
		{"/2018-06-01/runtime/invocation/x/response", "", `{}`, "Invalid request ID"},
	} {
		var header []string
		if step.name != "" {
			header = []string{"Lambda-Extension-Name", step.name}
		}
		status, _, body := function.request("POST", step.path, step.body, header...)
		if status < 400 || !strings.Contains(body, step.says) {
			t.Errorf("%s %s: %d %s, want %q", step.path, step.body, status, body, step.says)
		}
	}
}
