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

// turn handles a call of /next, by which the environment says that its last work is done. It reports whether the call is
// allowed: an environment that owes an answer must not ask.
func (e *environment) turn() bool {
	f := e.function
	f.mu.Lock()
	switch {
	case e.phase == starting && e.cause != none: // too late: the end of the process handles the rest
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

// settle ends the answered invocation and frees the environment for the next one.
func (e *environment) settle() {
	f, i := e.function, e.i
	out := e.report(i, i.answer)
	f.mu.Lock()
	next := e.next
	e.i, e.next = nil, nil
	f.vacate(i) // before the environment is seen idle
	switch {
	case e.phase == gone:
	case e.cause != none:
		e.phase = busy // without an invocation: none follows
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

// take marks the invocation as delivered: if the process ends from now on, the invocation is lost. It returns the deadline,
// and false if the process has ended meanwhile.
func (e *environment) take(i *invocation) (deadline time.Time, ok bool) {
	f := e.function
	f.mu.Lock()
	if e.phase == gone { // wait places the invocation elsewhere, or ends it
		f.mu.Unlock()
		return time.Time{}, false
	}
	i.delivered = true
	deadline = e.deadline()
	f.mu.Unlock()
	e.logs.drain() // earlier output, such as that of the init, precedes the START line
	e.logs.start(i.id)
	return deadline, true
}

// waiting returns the invocation with an id if the environment owes its answer, else nil.
func (e *environment) waiting(id string) *invocation {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if i := e.i; i != nil && i.id == id && i.delivered && i.answer == nil && e.phase == busy {
		return i
	}
	return nil
}

// takeAnswer stores the answer and passes it to the caller. It returns false if the invocation already has an answer.
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
