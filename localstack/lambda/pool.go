package lambda

import (
	"slices"
	"time"
)

// admit gives an invocation a place in the concurrency and an environment: those of one that has just been answered, so
// that a sequence of invocations stays in one environment, or else a free place and what place finds. It reports whether
// there was a place.
func (f *function) admit(i *invocation) bool {
	f.mu.Lock()
	follows := f.follow(i)
	taken := !follows && f.occupy(i)
	f.mu.Unlock()
	if taken {
		f.place(i)
	}
	return follows || taken
}

// place gives an invocation, which has its place in the concurrency, to the environment that was used last, or else to
// a new one.
func (f *function) place(i *invocation) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		f.fail(i, ErrClosed)
		return
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

// warm starts an environment that has no invocation yet.
func (f *function) warm() (*environment, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, ErrClosed
	}
	e := f.newEnvironment(nil)
	f.mu.Unlock()
	e.start()
	return e, nil
}

// initialised reports whether an environment is idle, or has answered and is about to be.
func (f *function) initialised() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.idle)+len(f.answered) > 0
}

// rest makes an environment wait for its next invocation. The caller holds f.mu.
func (f *function) rest(e *environment) {
	e.phase = idle
	f.idle = append(f.idle, e)
	if f.service.options.Freeze {
		e.arm(freezeDelay)
	} else {
		e.arm(f.service.options.IdleTimeout)
	}
}

// forget takes an environment out of the pool. The caller holds f.mu.
func (f *function) forget(e *environment) {
	delete(f.all, e)
	f.unavailable(e)
}

// unavailable keeps further invocations from an environment. The caller holds f.mu.
func (f *function) unavailable(e *environment) {
	f.idle = without(f.idle, e)
	f.answered = without(f.answered, e)
}

func without(list []*environment, e *environment) []*environment {
	if at := slices.Index(list, e); at >= 0 {
		return slices.Delete(list, at, at+1)
	}
	return list
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
