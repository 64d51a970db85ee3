package lambda

import "time"

// patience is how long an invocation waits for an environment that has answered its last one to ask for more, before it
// goes to another one, if there is a place for that in the concurrency; else it waits until the first one asks or is
// killed. Runtimes ask within a millisecond. Where processors are short it takes longer, and another process would only
// make them shorter.
const patience = 250 * time.Millisecond

// follow makes an invocation the next one of an environment that has answered, and hands it that one's place. It reports
// whether there is such an environment. The caller holds f.mu.
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

// deadline is when the environment is killed if it has not answered and asked for more. The caller holds function.mu.
func (e *environment) deadline() time.Time { return e.i.start.Add(e.function.Timeout) }

// overdue is called when the environment's next invocation has waited for its patience. It returns the invocation if it
// can run in another environment. The caller holds function.mu.
func (e *environment) overdue() *invocation {
	f, next := e.function, e.next
	left := time.Until(e.deadline())
	switch {
	case left <= 0:
		e.end(timeout, 0) // wait takes care of the next one
		return nil
	case !f.occupy(e.i): // there is no other place
		e.arm(min(patience, left))
		return nil
	}
	e.next = nil
	e.arm(left)
	return next
}
