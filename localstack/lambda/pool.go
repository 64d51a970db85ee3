package lambda

import (
	"slices"
	"time"
)

// admit gives an invocation a slot and an environment. It prefers those of an invocation that was just answered, so that a
// sequence of invocations stays in one environment. It reports whether there was a slot.
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

// place gives an invocation, which has a slot, to the idle environment that was used last, or to a new one.
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

// initialised reports whether an environment is idle, or has responded and is about to be.
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

// forget removes an environment from the pool. The caller holds f.mu.
func (f *function) forget(e *environment) {
	delete(f.all, e)
	f.unavailable(e)
}

// unavailable prevents further invocations of an environment. The caller holds f.mu.
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

// close ends all environments. Those with an extension get the grace period.
func (f *function) close(grace time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for e := range f.all {
		e.end(closing, grace)
	}
}

// patience is the time for which an invocation waits for an environment that has responded but not called /next. Then it
// goes to another environment if a slot is free; otherwise it waits until the first one calls /next or is killed. Runtimes
// call /next within a millisecond. On a busy machine they take longer, and another process would make it busier.
const patience = 250 * time.Millisecond

// follow makes an invocation the next one of an environment that has responded, and passes it the slot. It reports whether
// there is such an environment. The caller holds f.mu.
func (f *function) follow(i *invocation) bool {
	last := len(f.answered) - 1
	if last < 0 {
		return false
	}
	e := f.answered[last]
	f.answered[last] = nil
	f.answered = f.answered[:last]
	e.next = i
	e.i.pass(i)
	e.arm(min(patience, time.Until(e.deadline())))
	return true
}

// deadline returns the time at which the environment is killed unless it has responded and called /next. The caller holds
// function.mu.
func (e *environment) deadline() time.Time { return e.i.start.Add(e.function.Timeout) }

// overdue handles an invocation that has waited for its patience. It returns the invocation if that can run in another
// environment. The caller holds function.mu.
func (e *environment) overdue() *invocation {
	f, next := e.function, e.next
	left := time.Until(e.deadline())
	switch {
	case left <= 0:
		e.end(timeout, 0) // wait places the next invocation
		return nil
	case !f.occupy(e.i): // no slot is free
		e.arm(min(patience, left))
		return nil
	}
	e.next = nil
	e.arm(left)
	return next
}
