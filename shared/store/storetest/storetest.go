// Package storetest is the conformance suite of task.Store: the behaviour of every store, whatever its engine.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// Database is the storage of one test, initially empty.
type Database interface {
	// Open opens another store on the database, as another process would. The end of the test closes it.
	Open(t testing.TB) task.Store
	// Age moves every time in the database into the past, so that leases expire and rows grow old at once.
	Age(t testing.TB, by time.Duration)
}

// Run checks a store. It calls fresh for each test, concurrently. TestStore of package sqlite is a complete example.
func Run(t *testing.T, fresh func(t testing.TB) Database) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*fixture)
	}{
		{"submissions", submissions}, {"list", lists}, {"keys", keys},
		{"claims", claims}, {"attempts", attempts}, {"endings", endings}, {"upkeep", upkeep}, {"rescue", rescues}, {"concurrent", concurrent},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					db := fresh(t)
					test(&fixture{T: t, Database: db, store: db.Open(t), ctx: t.Context()})
				})
			}
		})
	}
}

const (
	// lease is longer than any test; tests use Age to let it expire.
	lease = time.Hour
	// enough is a limit above what any test stores.
	enough = 100
)

var policy = task.RetryPolicy{MaxAttempts: 3, Backoff: time.Minute, Reason: "no ending"}

// fixture is a test's store with the steps of tests. A step that fails ends the test.
type fixture struct {
	*testing.T
	Database
	store task.Store
	ctx   context.Context
}

// text returns a text as a job's result.
func text(s string) json.RawMessage {
	encoded, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return encoded
}

// ok ends the test unless err is nil.
func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// is ends the test unless err wraps want.
func (f *fixture) is(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("error is %v; want %v", err, want)
	}
}

// create submits a task without a key.
func (f *fixture) create() uuid.UUID { return f.submit(task.Submission{}) }

func (f *fixture) submit(s task.Submission) uuid.UUID {
	f.Helper()
	id := NewID(f)
	_, created, err := f.store.Create(f.ctx, id, s, task.Key{})
	f.ok(err)
	if !created {
		f.Fatal("Create without a key made nothing")
	}
	return id
}

// rules are those of a claim without limits.
var rules = task.ClaimRules{Lease: lease}

// claim claims a waiting task, whatever waits with a lower priority.
func (f *fixture) claim(id uuid.UUID, wantAttempt int) int {
	f.Helper()
	_, err := f.store.Update(f.ctx, id, task.Change{Priority: task.MaxPriority})
	f.ok(err)
	f.next(rules, id, wantAttempt)
	return wantAttempt
}

// next checks which task is claimed next.
func (f *fixture) next(rules task.ClaimRules, want uuid.UUID, wantAttempt int) task.Task {
	f.Helper()
	t, err := f.store.Claim(f.ctx, rules)
	f.ok(err)
	if t.ID != want || t.Attempt != wantAttempt || t.Status != task.Running {
		f.Fatalf("claimed %+v; want task %s as attempt %d", t, want, wantAttempt)
	}
	return t
}

// nothing checks that no task may start.
func (f *fixture) nothing(rules task.ClaimRules) {
	f.Helper()
	t, err := f.store.Claim(f.ctx, rules)
	if err == nil {
		f.Fatalf("claimed %+v; want no task", t)
	}
	f.is(err, task.ErrNothingToClaim)
}

// running returns a task that its first attempt holds.
func (f *fixture) running() (uuid.UUID, int) {
	f.Helper()
	id := f.create()
	return id, f.claim(id, 1)
}

// requeue ends an attempt that must not be the last.
func (f *fixture) requeue(id uuid.UUID, attempt int, reason string, after time.Duration) {
	f.Helper()
	again, err := f.store.Requeue(f.ctx, id, attempt, reason, after, policy.MaxAttempts, nil)
	f.ok(err)
	if !again {
		f.Fatalf("attempt %d of %d was the last", attempt, policy.MaxAttempts)
	}
}

// noRetry checks that an attempt no longer holds the task.
func (f *fixture) noRetry(id uuid.UUID, attempt int) {
	f.Helper()
	_, err := f.store.Requeue(f.ctx, id, attempt, "too late", 0, policy.MaxAttempts, nil)
	f.is(err, task.ErrLeaseLost)
}

func (f *fixture) get(id uuid.UUID) task.Task {
	f.Helper()
	t, err := f.store.Get(f.ctx, id)
	f.ok(err)
	return t
}

// want ends the test unless the task matches the arguments.
func (f *fixture) want(id uuid.UUID, status task.Status, result, reason string, attempt int) task.Task {
	f.Helper()
	t := f.get(id)
	var stored []byte
	if status == task.Completed {
		stored = text(result)
	}
	if t.ID != id || t.Status != status || !bytes.Equal(t.Result, stored) || t.Error != reason || t.Attempt != attempt {
		f.Fatalf("task is %+v; want status %s, result %q, error %q, attempt %d", t, status, result, reason, attempt)
	}
	return t
}

// waiting checks how many tasks may start, within enough.
func (f *fixture) waiting(want int) {
	f.Helper()
	load, err := f.store.Load(f.ctx, enough)
	f.ok(err)
	if load.Waiting != want {
		f.Fatalf("%+v; want %d waiting", load, want)
	}
}

// wake checks how many tasks become due.
func (f *fixture) wake(want int) {
	f.Helper()
	n, err := f.store.Wake(f.ctx, enough)
	f.ok(err)
	if n != want {
		f.Fatalf("%d tasks became due; want %d", n, want)
	}
}

// became counts rescued tasks.
type became struct{ Requeued, Failed int }

func (f *fixture) rescue(want became) []task.Rescued {
	f.Helper()
	got, err := f.store.Rescue(f.ctx, enough, policy)
	f.ok(err)
	f.became("rescued", got, want)
	return got
}

// dueIn checks when a rescued task is due; some time has passed since the statement.
func (f *fixture) dueIn(r task.Rescued, want time.Duration) {
	f.Helper()
	if r.Due > want || r.Due < want-5*time.Second {
		f.Fatalf("due in %s; want %s", r.Due, want)
	}
}

// became checks how many tasks were rescued, and that each agrees with the store.
func (f *fixture) became(how string, list []task.Rescued, want became) {
	f.Helper()
	var got became
	for _, r := range list {
		status := task.Pending
		if r.Failed {
			status = task.Failed
			got.Failed++
		} else {
			got.Requeued++
		}
		f.want(r.ID, status, "", policy.Reason, r.Attempt)
	}
	if got != want {
		f.Fatalf("%s %+v; want %+v", how, list, want)
	}
}

func same(t testing.TB, what string, got, want []uuid.UUID) {
	t.Helper()
	equal := len(got) == len(want)
	for i := 0; equal && i < len(got); i++ {
		equal = got[i] == want[i]
	}
	if !equal {
		t.Fatalf("%s are\n%v; want\n%v", what, got, want)
	}
}

// until polls for a change that only time brings.
func (f *fixture) until(what string, done func() bool) {
	f.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(30 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			f.Fatalf("%s: not within 30s", what)
		}
	}
}
