package e2e_test

import (
	"fmt"
	"slices"
	"time"
)

// observed is the test's own record of a run.
type observed struct {
	history map[string][]change
	// accepted are the tasks whose POST got 201; the value says whether their DELETE got 204.
	accepted map[string]bool
	// sweeps are the successful sweeps, with the times of request and answer.
	sweeps []sweep
	// disturbed are the times at which a fault may have left a lease without its worker: a kill, a cut, a restart.
	disturbed []time.Time
	semaphore int
	// limits are those of types.
	limits map[string]runningLimits
}

type sweep struct{ asked, answered time.Time }

// leaseTime is how long a claim and a heartbeat hold: the worker's default.
const leaseTime = 9 * time.Second

// verdict is the result of a history's check.
type verdict struct {
	problems        []string
	lost, doubled   int           // tasks without an ending, endings after an ending
	rescued, gaveUp int           // lost attempts, and tasks that failed for that
	live, leases    int           // the most live workers with a lease, and the most leases, at any instant
	longest         time.Duration // from the last sign of life of a lost attempt until its task was due again, or ended
	sweepsNeeded    int           // the most that any rescue took
	ofType, ofKey   int           // the most running tasks of a limited type, and of one of its keys, at any instant
}

func (v *verdict) problem(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// judge checks a run against the promises of the service.
func judge(o observed) *verdict {
	v := &verdict{}
	for id, deleted := range o.accepted {
		v.endingOf(id, o.history[id], deleted)
	}
	var holds []hold
	for id, changes := range o.history {
		if last := changes[len(changes)-1]; last.status == "pending" || last.status == "running" {
			v.lost++
			v.problem("task %s is stuck: %s", id, last)
		}
		v.steps(id, changes)
		v.recoveries(id, changes, o.sweeps)
		holds = append(holds, holdsOf(changes)...)
	}
	v.semaphore(holds, o)
	v.limits(o)
	return v
}

// endingOf checks that an accepted task has exactly one ending.
func (v *verdict) endingOf(id string, changes []change, deleted bool) {
	if len(changes) == 0 {
		v.lost++
		v.problem("task %s was accepted and is not in the database", id)
		return
	}
	endings, gone := 0, false
	for i, c := range changes {
		gone = gone || c.status == "cancelled"
		if c.ended() && (i == 0 || !changes[i-1].ended() || changes[i-1] != c) {
			endings++
		}
	}
	if endings > 1 {
		v.doubled += endings - 1
		v.problem("task %s has %d endings: %v", id, endings, changes)
	}
	if deleted && !gone {
		v.problem("task %s was deleted and is there: %s", id, changes[len(changes)-1])
	}
}

// steps checks each change against the state machine.
func (v *verdict) steps(id string, changes []change) {
	if first := changes[0]; first.status != "pending" || first.attempt != 0 {
		v.problem("task %s began as %s", id, first)
	}
	for i := 1; i < len(changes); i++ {
		what, wrong := step(changes[i-1], changes[i])
		if wrong != "" {
			v.problem("task %s: %s: from %s to %s", id, wrong, changes[i-1], changes[i])
		}
		if what == "rescued" {
			v.rescued++
			if changes[i].status == "failed" {
				v.gaveUp++
			}
		}
	}
}

// mostSweeps is how many sweeps may pass until a task is rescued.
const mostSweeps = 2

// recoveries checks that no lost attempt waits for more than two sweeps. It measures how long each delays its task.
func (v *verdict) recoveries(id string, changes []change, sweeps []sweep) {
	for i := 1; i < len(changes); i++ {
		from, to := changes[i-1], changes[i]
		if what, _ := step(from, to); what != "rescued" {
			continue
		}
		waited := within(sweeps, from.lease, to.at) + 1
		v.sweepsNeeded = max(v.sweepsNeeded, waited)
		if waited > mostSweeps {
			v.problem("task %s waited for %d sweeps: from %s to %s", id, waited, from, to)
		}
		v.longest = max(v.longest, later(to.at, to.due).Sub(from.at))
	}
}

// within counts the sweeps between two times.
func within(sweeps []sweep, from, to time.Time) int {
	n := 0
	for _, s := range sweeps {
		if s.asked.After(from) && s.answered.Before(to) {
			n++
		}
	}
	return n
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hold is an attempt's lease on its task.
type hold struct {
	from  time.Time // the claim
	alive time.Time // the last sign of life, a heartbeat or the ending: until then the worker was alive
	until time.Time // the end of the lease
}

func holdsOf(changes []change) []hold {
	var holds []hold
	var h *hold
	for i, c := range changes {
		if c.status == "running" && (i == 0 || c.attempt != changes[i-1].attempt) {
			holds = append(holds, hold{from: c.at, alive: c.at, until: c.lease})
			h = &holds[len(holds)-1]
			continue
		}
		if h == nil {
			continue
		}
		if c.status == "running" {
			h.alive, h.until = c.at, c.lease
			continue
		}
		if c.at.Before(h.until) { // ended by its worker, or deleted
			h.alive, h.until = c.at, c.at
		}
		h = nil
	}
	return holds
}

// semaphore checks that live workers with a lease never exceed the semaphore. A dead worker leaves its lease behind, so
// only the time in which a worker was certainly alive counts. In a period without faults that is as long as a lease,
// all leases count.
func (v *verdict) semaphore(holds []hold, o observed) {
	at := make([]time.Time, len(holds))
	for i, h := range holds {
		at[i] = h.from
	}
	for _, t := range at { // a maximum begins where a hold begins
		live, leases := 0, 0
		for _, h := range holds {
			if !h.from.After(t) && h.alive.After(t) {
				live++
			}
			if !h.from.After(t) && h.until.After(t) {
				leases++
			}
		}
		v.live, v.leases = max(v.live, live), max(v.leases, leases)
		if live > o.semaphore {
			v.problem("%d live workers held a lease at %s, the semaphore is %d", live, t.Format("15:04:05.000"), o.semaphore)
		}
		calm := !slices.ContainsFunc(o.disturbed, func(d time.Time) bool { return !d.After(t) && t.Sub(d) < leaseTime })
		if calm && leases > o.semaphore {
			v.problem("%d leases were held at %s though no worker was lost, the semaphore is %d", leases, t.Format("15:04:05.000"), o.semaphore)
		}
	}
}
