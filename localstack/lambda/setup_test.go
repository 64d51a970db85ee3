package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// functionsDir is where TestMain has built the functions of testdata.
var functionsDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err != nil {
		panic(err)
	}
	functionsDir = dir
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", dir,
		"./testdata/echo", "./testdata/behave", "./testdata/broken", "./testdata/sigterm").CombinedOutput()
	if err != nil {
		panic(fmt.Sprintf("build the test functions: %v\n%s", err, out))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func binary(name string) string { return filepath.Join(functionsDir, name) }

// rig is a Service with all that tests look at.
type rig struct {
	*Service
	t         testing.TB
	lines     *lines
	processes *processes
}

// built is a function with its executable.
type built struct {
	binary string
	spec.Function
}

// setup starts a Service with functions; the end of the test closes it and finds what it has left behind.
func setup(t testing.TB, options Options, functions ...built) *rig {
	t.Helper()
	r := &rig{t: t, lines: newLines(), processes: &processes{running: map[int]bool{}}}
	options.Logs = r.lines.add
	options.Processes = r.processes
	var err error
	if r.Service, err = New(options); err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if err := r.Add(f.Function, f.binary); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if left := r.processes.left(); left != 0 {
			t.Errorf("%d processes are left", left)
		}
	})
	return r
}

// invoke invokes with a value as JSON, waits for the end of the log and fails the test if there is no output.
func (r *rig) invoke(name string, event any) *spec.Output {
	r.t.Helper()
	out, err := r.Invoke(r.t.Context(), name, spec.Input{Payload: encode(r.t, event), LogTail: true})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// deed is an event for the function behave.
type deed struct {
	Do   string
	Text string `json:",omitempty"`
	URL  string `json:",omitempty"`
	Size int    `json:",omitempty"`
	Code int    `json:",omitempty"`
}

// failureOf decodes the payload of a failed invocation.
func failureOf(t testing.TB, out *spec.Output) (kind, message string) {
	t.Helper()
	if out.FunctionError != "Unhandled" {
		t.Errorf("function error %q, want Unhandled; payload %.200s", out.FunctionError, out.Payload)
	}
	var e struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(out.Payload, &e); err != nil {
		t.Fatalf("payload %q: %v", out.Payload, err)
	}
	return e.ErrorType, e.ErrorMessage
}

func pointer(n int) *int { return &n }

// processes counts the running processes.
type processes struct {
	mu      sync.Mutex
	running map[int]bool
	started int
}

func (p *processes) Start(cmd *exec.Cmd, stop syscall.Signal) error {
	if err := (plainProcesses{}).Start(cmd, stop); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[cmd.Process.Pid] = true
	p.started++
	return nil
}

func (p *processes) Exited(pid int) {
	plainProcesses{}.Exited(pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, pid)
}

func (p *processes) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}

func (p *processes) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.started
}

// lines keeps log lines and lets tests wait for them.
type lines struct {
	mu      sync.Mutex
	all     []string
	changed chan struct{} // closed and replaced with each line
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

func (l *lines) add(_ string, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(line))
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lines) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.all...)
}

// await waits until there are count lines that contain text.
func (l *lines) await(t testing.TB, text string, count int) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		found, changed := 0, l.changed
		for _, line := range l.all {
			if strings.Contains(line, text) {
				found++
			}
		}
		l.mu.Unlock()
		if found >= count {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			t.Fatalf("%d of %d lines with %q came: %q", found, count, text, l.list())
		}
	}
}

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// stateOf returns the state of a process, see process.Info.State; 'Z' if it has ended.
func stateOf(t testing.TB, pid int) byte {
	t.Helper()
	p, running, err := process.Lookup(pid)
	if err != nil {
		t.Fatal(err)
	}
	if !running {
		return 'Z'
	}
	return p.State
}
