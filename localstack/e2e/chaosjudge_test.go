package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// moment is a time of the fabricated histories, in seconds.
func moment(s float64) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
}

// made is the history of one task.
func made(steps ...change) []change { return steps }

func submitted(at float64) change {
	return change{at: moment(at), task: "a", status: "pending", due: moment(at)}
}
func dueAt(at float64, attempt int) change {
	return change{at: moment(at), task: "a", status: "pending", attempt: attempt, due: moment(at)}
}
func runningAt(at float64, attempt int) change {
	return change{at: moment(at), task: "a", status: "running", attempt: attempt, lease: moment(at + 9), due: moment(at)}
}
func endedAt(at float64, status string, attempt int, ending string) change {
	return change{at: moment(at), task: "a", status: status, attempt: attempt, ending: ending}
}

// TestTheHistoryIsJudged checks that judge finds each kind of error, else the suite proves nothing.
func TestTheHistoryIsJudged(t *testing.T) {
	t.Parallel()
	good := made(submitted(0), dueAt(0.1, 0), runningAt(1, 1), runningAt(4, 1), endedAt(5, "completed", 1, "7"))
	rescued := made(submitted(0), dueAt(0.1, 0), runningAt(1, 1), change{at: moment(11), task: "a", status: "pending", attempt: 1, due: moment(16)},
		dueAt(17, 1), runningAt(18, 2), endedAt(19, "failed", 2, "no luck"))
	everySecond := func() (list []sweep) {
		for s := range 60 {
			list = append(list, sweep{moment(float64(s) + 0.4), moment(float64(s) + 0.5)})
		}
		return list
	}()
	for name, c := range map[string]struct {
		o    observed
		want string // in the one problem, or ""
	}{
		"good":    {observed{history: map[string][]change{"a": good}, accepted: map[string]bool{"a": false}, sweeps: everySecond}, ""},
		"rescued": {observed{history: map[string][]change{"a": rescued}, accepted: map[string]bool{"a": false}, sweeps: everySecond}, ""},
		"deleted after its end": {observed{history: map[string][]change{"a": append(good[:5:5], endedAt(6, "cancelled", 1, "7"))},
			accepted: map[string]bool{"a": true}}, ""},
		"lost":          {observed{accepted: map[string]bool{"a": false}}, "not in the database"},
		"stuck pending": {observed{history: map[string][]change{"a": good[:2]}, accepted: map[string]bool{"a": false}}, "stuck"},
		"stuck running": {observed{history: map[string][]change{"a": good[:4]}, accepted: map[string]bool{"a": false}}, "stuck"},
		"not deleted":   {observed{history: map[string][]change{"a": good}, accepted: map[string]bool{"a": true}}, "was deleted and is there"},
		"ended twice": {observed{history: map[string][]change{"a": append(good[:5:5], endedAt(6, "failed", 1, "no luck"))},
			accepted: map[string]bool{"a": false}}, "2 endings"},
		"ended by a task that nobody accepted": {observed{history: map[string][]change{"a": append(good[:5:5], endedAt(6, "completed", 1, "8"))}},
			"an ended task changed"},
		"revived":              {observed{history: map[string][]change{"a": append(good[:5:5], runningAt(6, 2), endedAt(7, "cancelled", 2, ""))}}, "an ended task changed"},
		"deleted, and running": {observed{history: map[string][]change{"a": append(good[:3:3], endedAt(2, "cancelled", 1, ""), runningAt(3, 2), endedAt(7, "cancelled", 2, ""))}}, "a deleted task changed"},
		"claimed from under a lease": {observed{history: map[string][]change{"a": append(good[:3:3], runningAt(3, 2), endedAt(4, "completed", 2, ""))}},
			"while it ran"},
		"ended by nobody":     {observed{history: map[string][]change{"a": append(good[:2:2], endedAt(4, "completed", 0, ""))}}, "nobody ran"},
		"ended by an earlier": {observed{history: map[string][]change{"a": append(rescued[:6:6], endedAt(18.5, "completed", 1, ""))}, sweeps: everySecond}, "without a claim"},
		"attempt left out":    {observed{history: map[string][]change{"a": append(good[:2:2], runningAt(1, 2), endedAt(2, "completed", 2, ""))}}, "nobody ran"},
		"rescued late": {observed{history: map[string][]change{"a": append(rescued[:3:3], change{at: moment(15), task: "a", status: "pending", attempt: 1, due: moment(15)},
			dueAt(15.1, 1), runningAt(16, 2), endedAt(17, "completed", 2, ""))}, sweeps: everySecond}, "waited for 6 sweeps"},
		"claimed before it was due": {observed{history: map[string][]change{"a": made(submitted(0), dueAt(3, 0), runningAt(2.9, 1), endedAt(4, "completed", 1, ""))},
			sweeps: everySecond}, "before it was due"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.semaphore = 1
			v := judge(c.o)
			if c.want == "" && len(v.problems) > 0 {
				t.Errorf("problems with a good history: %q", v.problems)
			}
			if c.want != "" && !strings.Contains(strings.Join(v.problems, "\n"), c.want) {
				t.Errorf("problems %q, want %q", v.problems, c.want)
			}
		})
	}
	v := judge(observed{history: map[string][]change{"a": rescued}, sweeps: everySecond, semaphore: 1})
	if v.rescued != 1 || v.longest != 15*time.Second || v.sweepsNeeded != 2 {
		t.Errorf("%d rescued, the longest recovery %s, %d sweeps; want 1, 15s, 2", v.rescued, v.longest, v.sweepsNeeded)
	}
}

func TestTheSemaphoreIsJudged(t *testing.T) {
	t.Parallel()
	// Two workers hold leases from 1 to 5, and a third from 4 to 6 or later.
	two := func(id string) []change {
		return made(submitted(0), dueAt(0, 0), runningAt(1, 1), runningAt(4.5, 1), endedAt(5, "completed", 1, id))
	}
	third := func(from float64) []change {
		return made(submitted(0), dueAt(0, 0), runningAt(from, 1), endedAt(from+2, "completed", 1, "c"))
	}
	// This one died at 2.5 and left its lease behind.
	dead := made(submitted(0), dueAt(0, 0), runningAt(2.5, 1), change{at: moment(12), task: "d", status: "failed", attempt: 1, ending: "lost"})
	for name, c := range map[string]struct {
		history   map[string][]change
		disturbed []time.Time
		want      string
	}{
		"two, then a third":         {map[string][]change{"a": two("a"), "b": two("b"), "c": third(5.5)}, nil, ""},
		"three at once":             {map[string][]change{"a": two("a"), "b": two("b"), "c": third(4)}, []time.Time{moment(3)}, "3 live workers"},
		"a dead one":                {map[string][]change{"a": two("a"), "c": third(3), "d": dead}, []time.Time{moment(2.5)}, ""},
		"a lease that nobody holds": {map[string][]change{"a": two("a"), "c": third(3), "d": dead}, nil, "3 leases"},
	} {
		v := judge(observed{history: c.history, disturbed: c.disturbed, semaphore: 2})
		if text := strings.Join(v.problems, "\n"); (text != "") != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: problems %q, want %q", name, v.problems, c.want)
		}
	}
}
