package lambda

import "time"

// begin gives an idle environment an invocation. The caller holds function.mu.
func (e *environment) begin(i *invocation) {
	e.phase = busy
	e.i = i
	i.start = time.Now()
	e.arm(e.function.Timeout)
	e.thaw()
	e.work <- i
}

// turn is called when the environment asks for an invocation, which is how it says that it is done with what it did
// before. It reports whether it may ask: not while it owes an answer.
func (e *environment) turn() bool {
	f := e.function
	f.mu.Lock()
	switch {
	case e.phase == starting && e.cause != none: // too late; the end of the process takes care of the rest
	case e.phase == starting:
		e.initTook = time.Since(e.startedAt)
		if e.i != nil {
			e.begin(e.i)
		} else {
			f.rest(e)
		}
		close(e.ready)
	case e.phase == busy && e.i != nil && e.i.delivered:
		if e.i.answer == nil {
			f.mu.Unlock()
			return false
		}
		e.phase = settling
		f.mu.Unlock()
		e.settle()
		return true
	}
	f.mu.Unlock()
	return true
}

// settle ends the invocation that the environment has answered, and frees the environment for the next one.
func (e *environment) settle() {
	f, i := e.function, e.i
	out := e.report(i, i.answer)
	f.mu.Lock()
	next := e.next
	e.i, e.next = nil, nil
	f.vacate(i) // before anybody sees the environment idle
	switch {
	case e.phase == gone:
	case e.cause != none:
		e.phase = busy // with nothing; no further invocation comes
	case next != nil:
		e.begin(next)
		next = nil
	default:
		f.answered = without(f.answered, e)
		f.rest(e)
	}
	f.mu.Unlock()
	f.complete(i, out)
	if next != nil {
		f.place(next)
	}
}

// take notes that the environment has got its invocation: from now on it is lost if the process ends. It returns when the
// invocation's time is up, and whether the environment may have it: not if the process has ended meanwhile.
func (e *environment) take(i *invocation) (deadline time.Time, ok bool) {
	f := e.function
	f.mu.Lock()
	if e.phase == gone { // wait gives the invocation to another one, or ends it
		f.mu.Unlock()
		return time.Time{}, false
	}
	i.delivered = true
	deadline = e.deadline()
	f.mu.Unlock()
	e.logs.drain() // what was written before, as in the init, belongs before the line that begins the invocation
	e.logs.start(i.id)
	return deadline, true
}

// waiting is the invocation with an id, if the environment has it and owes an answer.
func (e *environment) waiting(id string) *invocation {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if i := e.i; i != nil && i.id == id && i.delivered && i.answer == nil && e.phase == busy {
		return i
	}
	return nil
}

// takeAnswer notes the answer and passes it on to the caller. It reports whether there was none before.
func (e *environment) takeAnswer(i *invocation, a *answer) bool {
	f := e.function
	f.mu.Lock()
	if i.answer != nil || e.phase != busy {
		f.mu.Unlock()
		return false
	}
	i.answer = a
	if e.cause == none {
		f.answered = append(f.answered, e)
	}
	tell := !i.tail
	i.ended = tell
	f.mu.Unlock()
	if tell {
		i.tell(a.output(i.id), nil)
	}
	return true
}
