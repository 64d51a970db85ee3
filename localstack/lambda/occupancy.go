package lambda

import "github.com/eragon-mdi/ksu/localstack/spec"

// An invocation holds its place in the concurrency until its environment asks for the next one. Its caller has the answer
// before that and may invoke again at once, so that a place can also pass from an invocation to the one that follows it.
// All of this is guarded by function.mu, which the callers hold but for complete and fail.

// occupy takes a free place for an invocation. It reports whether there was one.
func (f *function) occupy(i *invocation) bool {
	if !f.limit.take() {
		return false
	}
	i.placed = true
	f.busy++
	f.peak = max(f.peak, f.busy)
	return true
}

// vacate gives the place of an invocation back, if it still has it.
func (f *function) vacate(i *invocation) {
	if i.placed {
		i.placed = false
		f.busy--
		f.limit.release()
	}
}

// pass hands the place of one invocation to another.
func (i *invocation) pass(to *invocation) { i.placed, to.placed = false, true }

// complete ends an invocation with an output, unless its caller has it already.
func (f *function) complete(i *invocation, out *spec.Output) { f.finish(i, out, nil) }

// fail ends an invocation with an error that is not the function's.
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

// tell tells the caller of an invocation how it ended. It is called once, by whoever sets ended.
func (i *invocation) tell(out *spec.Output, err error) {
	i.out, i.err = out, err
	close(i.done)
}
