package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// gate is a server at which functions wait until the test opens it.
type gate struct {
	*httptest.Server
	open    chan struct{}
	arrived chan struct{}
}

func newGate(t testing.TB) *gate {
	g := &gate{open: make(chan struct{}), arrived: make(chan struct{}, 1000)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte("opened"))
	}))
	t.Cleanup(g.Close)
	return g
}

// call invokes a function that waits at the gate, and returns once it waits.
func (g *gate) call(t testing.TB, r *rig, name string) (ended chan error) {
	t.Helper()
	ended = make(chan error, 1)
	payload := encode(t, deed{Do: "wait", URL: g.URL})
	go func() {
		_, err := r.Invoke(context.Background(), name, spec.Input{Payload: payload})
		ended <- err
	}()
	select {
	case <-g.arrived:
	case err := <-ended:
		t.Fatalf("the invocation ended: %v", err)
	}
	return ended
}

func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", Timeout: time.Minute, ReservedConcurrency: pointer(3)}})
	g := newGate(t)
	var ended []chan error
	for range 3 {
		ended = append(ended, g.call(t, r, "f"))
	}
	var throttled *TooManyRequestsError
	if _, err := r.Invoke(t.Context(), "f", spec.Input{}); !errors.As(err, &throttled) || throttled.Reason != reasonReserved {
		t.Errorf("the fourth: %v", err)
	}
	if r.Running("f") != 3 || r.Peak("f") != 3 {
		t.Errorf("running %d, peak %d, want 3 and 3", r.Running("f"), r.Peak("f"))
	}
	close(g.open)
	for _, e := range ended {
		if err := <-e; err != nil {
			t.Error(err)
		}
	}
	for range 10 { // all for a slot that has just become free
		r.invoke("f", deed{Do: "say"})
	}
	if n := r.processes.count(); n != 3 {
		t.Errorf("%d processes were started, want 3", n)
	}
}

func TestTheLastUsedIsUsedNext(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", Timeout: time.Minute}})
	g := newGate(t)
	first, second := g.call(t, r, "f"), g.call(t, r, "f")
	close(g.open)
	if err := errors.Join(<-first, <-second); err != nil {
		t.Fatal(err)
	}
	r.awaitIdle(2) // otherwise the environment that was slower to call /next would be the last used
	pids := map[int]bool{}
	for range 5 {
		pids[pidOf(t, r.invoke("f", deed{Do: "tell"}))] = true
	}
	if len(pids) != 1 {
		t.Errorf("sequential invocations went to %d of 2 environments, want 1", len(pids))
	}
}

func pidOf(t testing.TB, out *spec.Output) int {
	t.Helper()
	var told struct{ Pid int }
	if err := json.Unmarshal(out.Payload, &told); err != nil {
		t.Fatal(err)
	}
	return told.Pid
}

func TestManyClients(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "echo", ReservedConcurrency: pointer(4)}})
	var all sync.WaitGroup
	for range 4 { // never more than the limit, so none may be throttled
		all.Go(func() {
			for range 100 {
				if out, err := r.Invoke(t.Context(), "echo", spec.Input{}); err != nil || out.FunctionError != "" {
					t.Error(out, err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := r.processes.count(); n > 4 {
		t.Errorf("%d processes were started, want at most 4", n)
	}
}

func TestIdleEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]built{
		"killed":     {binary: binary("echo")},
		"terminated": {binary: binary("sigterm")},
		"stubborn":   {binary("sigterm"), spec.Function{Environment: map[string]string{"STUBBORN": "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.Name = "f"
			r := setup(t, Options{IdleTimeout: 50 * time.Millisecond}, f)
			r.invoke("f", "x")
			until(t, "the environment has ended", func() bool { return r.Running("f") == 0 })
			if said := slices.Contains(r.lines.list(), "good-bye"); said != (name != "killed") {
				t.Errorf("it got SIGTERM: %t", said)
			}
			r.invoke("f", "x") // in a new one
		})
	}
}

func TestAnEnvironmentThatEndsWhileIdleIsReplaced(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", ReservedConcurrency: pointer(1)}})
	for range 20 {
		out := r.invoke("f", deed{Do: "tell"})
		if out.FunctionError != "" { // it already had the event when it was killed
			out = r.invoke("f", deed{Do: "tell"})
		}
		if out.FunctionError != "" {
			t.Fatalf("got %s", out.Payload)
		}
		if err := syscall.Kill(pidOf(t, out), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheCallerMayLeave(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", Timeout: time.Minute, ReservedConcurrency: pointer(1)}})
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-g.arrived; cancel() }()
	if _, err := r.Invoke(ctx, "f", spec.Input{Payload: encode(t, deed{Do: "wait", URL: g.URL})}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var throttled *TooManyRequestsError
	if _, err := r.Invoke(t.Context(), "f", spec.Input{}); !errors.As(err, &throttled) {
		t.Errorf("the invocation has not gone on: %v", err)
	}
	close(g.open)
	r.lines.await(t, "REPORT RequestId", 1)
}

func TestWhatAFunctionStartedEndsWithIt(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f"}})
	var pid int
	if err := json.Unmarshal(r.invoke("f", deed{Do: "child"}).Payload, &pid); err != nil {
		t.Fatal(err)
	}
	r.invoke("f", deed{Do: "exit"})
	until(t, "the child has ended", func() bool { return !runs(t, pid) })
}

func TestCloseEndsWhatRuns(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("behave"), spec.Function{Name: "kill", Timeout: time.Minute}},
		built{binary("sigterm"), spec.Function{Name: "term", Timeout: time.Minute}})
	g := newGate(t)
	killed := g.call(t, r, "kill")
	termed := make(chan error, 1)
	go func() {
		_, err := r.Invoke(context.Background(), "term", spec.Input{Payload: []byte(`"hang"`)})
		termed <- err
	}()
	r.lines.await(t, "hanging", 1)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ended := range []chan error{killed, termed} {
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want %v", err, ErrClosed)
		}
	}
	if !slices.Contains(r.lines.list(), "good-bye") {
		t.Errorf("no SIGTERM: %q", r.lines.list())
	}
	if _, err := r.Invoke(t.Context(), "term", spec.Input{}); !errors.Is(err, ErrClosed) {
		t.Errorf("invoke after close: %v", err)
	}
	if err := r.Init(t.Context(), "term"); !errors.Is(err, ErrClosed) {
		t.Errorf("init after close: %v", err)
	}
	if err := r.Add(spec.Function{Name: "g"}, "g"); !errors.Is(err, ErrClosed) {
		t.Errorf("add after close: %v", err)
	}
}

func TestCloseDoesNotOutlastItsContext(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("sigterm"), spec.Function{Name: "f", Environment: map[string]string{"STUBBORN": "1"}}})
	r.invoke("f", "x")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { r.lines.await(t, "good-bye", 1); cancel() }()
	began := time.Now()
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took >= closeGrace {
		t.Errorf("close took %v", took)
	}
}

// runs reports whether a process has not ended. A zombie has.
func runs(t *testing.T, pid int) bool {
	t.Helper()
	return stateOf(t, pid) != 'Z'
}
