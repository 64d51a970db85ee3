package lambda

import (
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// pids returns the running processes.
func (p *processes) pids() (list []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pid := range p.running {
		list = append(list, pid)
	}
	return list
}

// awaitFrozen waits until n processes run and all are stopped.
func (r *rig) awaitFrozen(n int) {
	r.t.Helper()
	until(r.t, "the processes are stopped", func() bool {
		pids := r.processes.pids()
		for _, pid := range pids {
			if stateOf(r.t, pid) != 'T' {
				return false
			}
		}
		return len(pids) == n
	})
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{Freeze: true}, built{binary("echo"), spec.Function{Name: "echo"}})
	if err := r.Init(t.Context(), "echo"); err != nil {
		t.Fatal(err)
	}
	r.awaitFrozen(1)
	for range 3 {
		if out := r.invoke("echo", "x"); out.FunctionError != "" || string(out.Payload) != `"x"` {
			t.Fatalf("output %+v", out)
		}
		r.awaitFrozen(1)
	}
	if n := r.processes.count(); n != 1 {
		t.Errorf("%d processes were started; a frozen one is used again", n)
	}
}

// TestFrozenHearOfTheirEnd checks that SIGTERM wakes a frozen environment, both when it is unused and when the service
// closes.
func TestFrozenHearOfTheirEnd(t *testing.T) {
	t.Parallel()
	for name, idle := range map[string]time.Duration{"unused": 50 * time.Millisecond, "closing": time.Hour} {
		r := setup(t, Options{Freeze: true, IdleTimeout: idle}, built{binary("sigterm"), spec.Function{Name: "sigterm"}})
		r.invoke("sigterm", "x")
		if name == "closing" {
			r.awaitFrozen(1)
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		r.lines.await(t, "good-bye", 1)
	}
}
