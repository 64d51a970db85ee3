package lambda

import (
	"sync"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// accountConcurrency is the number of concurrent invocations that functions without reserved concurrency share: the
// default quota of an AWS account.
const accountConcurrency = 1000

// concurrency is a number of slots for invocations.
type concurrency struct {
	limit  int
	reason string // of the throttle

	mu   sync.Mutex
	used int
}

func newConcurrency(limit int, reason string) *concurrency {
	return &concurrency{limit: limit, reason: reason}
}

// take takes a slot and reports whether one was free. The caller gives it back by release.
func (c *concurrency) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used >= c.limit {
		return false
	}
	c.used++
	return true
}

func (c *concurrency) release() {
	c.mu.Lock()
	c.used--
	c.mu.Unlock()
}

// An invocation holds its slot until its environment asks for the next invocation. Its caller has the answer before that
// and may invoke again at once; the slot can then pass to the next invocation. function.mu guards all of this. Callers hold
// it, except for complete and fail.

// occupy takes a slot for an invocation and reports whether one was free.
func (f *function) occupy(i *invocation) bool {
	if !f.limit.take() {
		return false
	}
	i.placed = true
	f.busy++
	f.peak = max(f.peak, f.busy)
	return true
}

// vacate releases the slot of an invocation, if it still has one.
func (f *function) vacate(i *invocation) {
	if i.placed {
		i.placed = false
		f.busy--
		f.limit.release()
	}
}

// pass gives the slot of an invocation to another one.
func (i *invocation) pass(to *invocation) { i.placed, to.placed = false, true }

// complete ends an invocation with an output, unless its caller already has one.
func (f *function) complete(i *invocation, out *spec.Output) { f.finish(i, out, nil) }

// fail ends an invocation with an error of the service.
func (f *function) fail(i *invocation, err error) { f.finish(i, nil, err) }

func (f *function) finish(i *invocation, out *spec.Output, err error) {
	f.mu.Lock()
	f.vacate(i)
	told := i.ended
	i.ended = true
	f.mu.Unlock()
	if !told {
		i.tell(out, err)
	}
}

// tell passes the end of an invocation to its caller. Only the code that sets ended calls it.
func (i *invocation) tell(out *spec.Output, err error) {
	i.out, i.err = out, err
	close(i.done)
}
