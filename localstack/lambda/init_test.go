package lambda

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestInit(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "f", ReservedConcurrency: pointer(1)}})
	for range 2 { // the second one has nothing to do
		if err := r.Init(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
	}
	r.invoke("f", 1)
	if n := r.processes.count(); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
	if err := r.Init(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("unknown function: %v", err)
	}
}

func TestFunctionsThatNeverStart(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "bootstrap")
	tests := map[string]struct {
		mode    string
		binary  string
		timeout time.Duration
		init    []string // what Init's error says
		kind    string   // of Invoke's error
		message string
		log     string
	}{
		"exits": {mode: "exit", timeout: time.Minute, init: []string{"function f", "exit status 3", "TREASURE_MAP is missing"},
			kind: "Runtime.ExitError", message: "Error: Runtime exited with error: exit status 3",
			log: "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"},
		"reports": {mode: "report", timeout: time.Minute, init: []string{"function f", "no database"},
			kind: "Function.NoDatabase", message: "no database", log: "INIT_REPORT Init Duration: "},
		"never asks": {mode: "never", timeout: 300 * time.Millisecond, init: []string{"within 300ms", "/next", "thinking"},
			kind: "Sandbox.Timedout", message: "Task timed out after 0.30 seconds", log: "\tPhase: init\tStatus: timeout"},
		"no binary": {binary: gone, init: []string{"function f", gone, "no such file"},
			kind: "Runtime.InvalidEntrypoint", message: gone, log: "no such file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := test.binary
			if file == "" {
				file = binary("broken")
			}
			f := built{file, spec.Function{Name: "f", Environment: map[string]string{"MODE": test.mode}, ReservedConcurrency: pointer(1)}}
			r := setup(t, Options{InitTimeout: test.timeout}, f)
			err := r.Init(t.Context(), "f")
			if err == nil {
				t.Fatal("init succeeded")
			}
			for _, want := range test.init {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			kind, message := failureOf(t, r.invoke("f", 1))
			if kind != test.kind || !strings.Contains(message, test.message) {
				t.Errorf("got %s: %s, want %s: %s", kind, message, test.kind, test.message)
			}
			r.lines.await(t, test.log, 1)
			until(t, "no environment is left", func() bool { return r.Running("f") == 0 })
		})
	}
}
