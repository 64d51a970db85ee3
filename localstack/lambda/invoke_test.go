package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestInvokeAnswersAndReusesItsEnvironment(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "echo"}})
	for _, payload := range []string{`{"a":1}`, `"text"`, `[]`, ``} {
		out, err := r.Invoke(t.Context(), "echo", spec.Input{Payload: []byte(payload)})
		if err != nil {
			t.Fatal(err)
		}
		want := payload
		if want == "" {
			want = "{}" // Lambda has no empty events
		}
		if string(out.Payload) != want || out.FunctionError != "" {
			t.Errorf("%s: got %s (%s), want %s", payload, out.Payload, out.FunctionError, want)
		}
	}
	if n := r.processes.count(); n != 1 {
		t.Errorf("%d processes served sequential invocations, want 1", n)
	}
	if r.Running("echo") != 1 || r.Peak("echo") != 1 {
		t.Errorf("running %d, peak %d, want 1 and 1", r.Running("echo"), r.Peak("echo"))
	}
}

func TestWhatAFunctionIsTold(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{Environment: map[string]string{"COMMON": "1", "OWN": "common"}},
		built{binary("behave"), spec.Function{Name: "tell", Timeout: time.Minute, MemorySize: 256, Handler: "boot",
			Environment: map[string]string{"OWN": "own", "AWS_LAMBDA_FUNCTION_NAME": "forged"}}})
	before := time.Now()
	out, err := r.Invoke(t.Context(), "tell", spec.Input{Payload: encode(t, deed{Do: "tell"}), TraceID: "Root=1-2-3",
		ClientContext: `{"custom":{"key":"value"}}`})
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Dir, Request, Arn, Trace string
		Deadline                 int64
		Client                   map[string]string
		Environment              []string
	}
	if err := json.Unmarshal(out.Payload, &told); err != nil {
		t.Fatal(err)
	}
	if told.Request != out.RequestID || told.Trace != "Root=1-2-3" || told.Client["key"] != "value" ||
		told.Arn != "arn:aws:lambda:us-east-1:000000000000:function:tell" {
		t.Errorf("told %+v", told)
	}
	deadline := time.UnixMilli(told.Deadline)
	if deadline.Before(before.Add(time.Minute-time.Second)) || deadline.After(time.Now().Add(time.Minute)) {
		t.Errorf("deadline %v, want a minute after %v", deadline, before)
	}
	for _, want := range []string{"COMMON=1", "OWN=own", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_LAMBDA_FUNCTION_NAME=tell", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/tell", "_HANDLER=boot",
		"LAMBDA_TASK_ROOT=" + functionsDir, "TZ=:UTC", "AWS_EC2_METADATA_DISABLED=true"} {
		if !slices.Contains(told.Environment, want) {
			t.Errorf("no %s in %q", want, told.Environment)
		}
	}
	for _, variable := range told.Environment {
		if strings.HasPrefix(variable, "HOME=") {
			t.Errorf("the function sees the stack's %s", variable)
		}
	}
}

func TestFunctionsThatFail(t *testing.T) {
	t.Parallel()
	const limit = "6291556"
	tests := map[string]struct {
		event   deed
		kind    string // of error
		message string // a part
		log     string // a part of a line
		keeps   bool   // whether the environment survives
	}{
		"error":  {event: deed{Do: "error", Text: "no luck"}, kind: "errorString", message: "no luck", keeps: true},
		"panic":  {event: deed{Do: "panic", Text: "oh"}, kind: "string", message: "oh"},
		"exit 7": {event: deed{Do: "exit", Code: 7}, kind: "Runtime.ExitError", message: "Error: Runtime exited with error: exit status 7", log: "Status: error\tError Type: Runtime.ExitError"},
		"exit 0": {event: deed{Do: "exit"}, kind: "Runtime.ExitError", message: "Error: Runtime exited without providing a reason"},
		"hang":   {event: deed{Do: "hang"}, kind: "Sandbox.Timedout", message: "Task timed out after 2.00 seconds", log: "\tStatus: timeout"},
		"huge": {event: deed{Do: "huge", Size: 7 << 20}, kind: "Function.ResponseSizeTooLarge",
			message: "Response payload size (7340034 bytes) exceeded maximum allowed payload size (" + limit + " bytes)."},
		"broken stream": {event: deed{Do: "broken stream", Text: "{"}, kind: "errorString", message: "the source ran dry", keeps: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", Timeout: 2 * time.Second, ReservedConcurrency: pointer(1)}})
			out := r.invoke("f", test.event)
			kind, message := failureOf(t, out)
			if kind != test.kind || !strings.Contains(message, test.message) {
				t.Errorf("got %s: %s, want %s: %s", kind, message, test.kind, test.message)
			}
			r.lines.await(t, "END RequestId: "+out.RequestID, 1)
			r.lines.await(t, test.log, 1)
			// The slot is free at once, and the next invocation gets a working environment.
			if out := r.invoke("f", deed{Do: "say"}); out.FunctionError != "" {
				t.Errorf("afterwards: %s", out.Payload)
			}
			want := 2
			if test.keeps {
				want = 1
			}
			if n := r.processes.count(); n != want {
				t.Errorf("%d processes were started, want %d", n, want)
			}
		})
	}
}

func TestAnswersPassUnchanged(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f"}})
	if out := r.invoke("f", deed{Do: "text", Text: "<p>no JSON"}); string(out.Payload) != "<p>no JSON" || out.FunctionError != "" {
		t.Errorf("got %s %s", out.Payload, out.FunctionError)
	}
	out := r.invoke("f", deed{Do: "huge", Size: maxAnswer - 2}) // and two quotes
	if len(out.Payload) != maxAnswer || bytes.Count(out.Payload, []byte("x")) != maxAnswer-2 {
		t.Errorf("got %d bytes, %.100s", len(out.Payload), out.Payload)
	}
}

func TestInvokeRefuses(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "echo"}},
		built{binary("echo"), spec.Function{Name: "never", ReservedConcurrency: pointer(0)}})
	if _, err := r.Invoke(t.Context(), "nobody", spec.Input{}); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("unknown function: %v", err)
	}
	var large *PayloadTooLargeError
	if _, err := r.Invoke(t.Context(), "echo", spec.Input{Payload: make([]byte, maxPayload+1)}); !errors.As(err, &large) {
		t.Errorf("large payload: %v", err)
	}
	var throttled *TooManyRequestsError
	if _, err := r.Invoke(t.Context(), "never", spec.Input{}); !errors.As(err, &throttled) || throttled.Reason != reasonReserved {
		t.Errorf("reserved concurrency 0: %v", err)
	}
	if err := r.Init(t.Context(), "never"); err != nil {
		t.Errorf("init with reserved concurrency 0: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Invoke(ended, "echo", spec.Input{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if n := r.processes.count(); n != 0 {
		t.Errorf("%d processes were started, want none", n)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{"f", spec.Function{Name: "f"}})
	for want, f := range map[string]built{
		"needs a name":                  {binary: "f"},
		"needs a binary":                {Function: spec.Function{Name: "g"}},
		"must be 0 or more":             {"f", spec.Function{Name: "g", ReservedConcurrency: pointer(-1)}},
		"function f: the name is taken": {"f", spec.Function{Name: "f"}},
	} {
		if err := r.Add(f.Function, f.binary); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
