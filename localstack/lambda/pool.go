package lambda

import (
	"slices"
	"time"
)

// place gives an invocation, which has its place in the concurrency, to the environment that was used last, or else to
// a new one.
func (f *function) place(i *invocation) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		f.fail(i, ErrClosed)
		return
	}
	if !i.placed {
		i.placed = true
		f.busy++
		f.peak = max(f.peak, f.busy)
	}
	if last := len(f.idle) - 1; last >= 0 {
		e := f.idle[last]
		f.idle[last] = nil
		f.idle = f.idle[:last]
		e.begin(i)
		f.mu.Unlock()
		return
	}
	e := f.newEnvironment(i)
	f.mu.Unlock()
	e.start()
}

// warm starts an environment that has no invocation yet. It returns nil if one is idle already.
func (f *function) warm() (*environment, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, ErrClosed
	}
	if len(f.idle) > 0 {
		f.mu.Unlock()
		return nil, nil
	}
	e := f.newEnvironment(nil)
	f.mu.Unlock()
	e.start()
	return e, nil
}

// rest makes an environment wait for its next invocation. The caller holds f.mu.
func (f *function) rest(e *environment) {
	e.phase = idle
	f.idle = append(f.idle, e)
	e.arm(f.service.options.IdleTimeout)
	e.freeze()
}

// forget takes an environment out of the pool. The caller holds f.mu.
func (f *function) forget(e *environment) {
	delete(f.all, e)
	f.notIdle(e)
}

func (f *function) notIdle(e *environment) {
	if at := slices.Index(f.idle, e); at >= 0 {
		f.idle = slices.Delete(f.idle, at, at+1)
	}
}

// complete ends an invocation with an output.
func (f *function) complete(i *invocation, out *Output) {
	i.out = out
	f.leave(i)
}

// fail ends an invocation with an error that is not the function's.
func (f *function) fail(i *invocation, err error) {
	i.err = err
	f.leave(i)
}

// leave gives the invocation's place free before its caller learns of the end, who may invoke again at once.
func (f *function) leave(i *invocation) {
	if i.placed {
		f.mu.Lock()
		f.busy--
		f.mu.Unlock()
	}
	f.limit.release()
	close(i.done)
}

// close ends all environments; those that may end gracefully get so long for it.
func (f *function) close(grace time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for e := range f.all {
		e.end(closing, grace)
	}
}
