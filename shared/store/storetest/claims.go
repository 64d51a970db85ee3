package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var claims = map[string]func(*fixture){
	"nothing waits": func(f *fixture) { f.nothing(rules) },
	"a claim returns the whole task": func(f *fixture) {
		id := NewID(f)
		made, _, err := f.store.Create(f.ctx, id, task.Submission{
			Type: "fetch", Payload: json.RawMessage(`{"url": "https://x", "n": 1e3}`), Priority: 4, FairnessKey: "k é", MaxAttempts: 7,
			Timeout: 90 * time.Second, TTL: time.Hour, Tags: []string{"a", "b c"}, Metadata: map[string]string{"m": "x"}, Owner: "o", Trace: "Root=1-5-7",
		}, task.Key{})
		f.ok(err)
		want := made
		want.Status, want.Attempt = task.Running, 1
		got := f.next(rules, id, 1)
		if got.Duration > time.Minute {
			f.Errorf("duration is %s", got.Duration)
		}
		got.Duration = 0
		if !reflect.DeepEqual(got, want) {
			f.Errorf("claimed\n%#v; want\n%#v", got, want)
		}
	},
	"defaults": func(f *fixture) {
		t := f.get(f.create())
		want := task.Submission{Type: task.DefaultType, Owner: task.DefaultOwner, FairnessKey: task.DefaultOwner, Priority: task.DefaultPriority,
			RunAt: t.CreatedAt, Tags: t.Tags}
		if !reflect.DeepEqual(t.Submission, want) || len(t.Tags) != 0 {
			f.Errorf("submission is %+v; want %+v", t.Submission, want)
		}
		owned := f.get(f.submit(task.Submission{Owner: "o"}))
		if owned.FairnessKey != "o" {
			f.Errorf("fairness key is %q; want the owner", owned.FairnessKey)
		}
	},
	"priority, then age": func(f *fixture) {
		var ids []uuid.UUID
		for _, priority := range []int{3, 1, 4, 2, 1, 2} {
			ids = append(ids, f.submit(task.Submission{Priority: priority}))
		}
		for _, i := range []int{1, 4, 3, 5, 0, 2} {
			f.next(rules, ids[i], 1)
		}
		f.nothing(rules)
	},
	"priority across the types of a key": func(f *fixture) {
		low, high := f.submit(task.Submission{Type: "a", Priority: 3}), f.submit(task.Submission{Type: "b", Priority: 1})
		f.next(rules, high, 1)
		f.next(rules, low, 1)
	},
	"the key with the smallest share": func(f *fixture) {
		a1, a2, a3, _ := f.keyed4("a")
		b1, b2, b3, _ := f.keyed4("b")
		f.next(rules, a1, 1)
		f.next(rules, b1, 1)
		f.next(rules, a2, 1) // one of each runs; a was served longer ago
		f.next(rules, b2, 1)
		f.ok(f.store.Complete(f.ctx, a1, 1, text(""), nil))
		f.next(rules, a3, 1) // a runs one, b two
		f.next(rules, b3, 1) // two of each; b was served longer ago
	},
	"the key that was served least recently": func(f *fixture) {
		ids := map[string][]uuid.UUID{}
		for range 3 {
			for _, key := range []string{"c", "a", "b"} {
				ids[key] = append(ids[key], f.submit(task.Submission{FairnessKey: key}))
			}
		}
		var order []string
		for range 9 { // nothing runs when the next is claimed
			t, err := f.store.Claim(f.ctx, rules)
			f.ok(err)
			order = append(order, t.FairnessKey)
			f.ok(f.store.Complete(f.ctx, t.ID, 1, text(""), nil))
		}
		if first, want := order[:3], order[3:6]; !reflect.DeepEqual(first, want) || !reflect.DeepEqual(first, order[6:]) ||
			first[0] == first[1] || first[1] == first[2] || first[0] == first[2] {
			f.Errorf("the keys were served %v; want each in its turn", order)
		}
	},
	"a key does not lose its turn with its last task": func(f *fixture) {
		waits := f.submit(task.Submission{FairnessKey: "a"})
		for range 3 {
			once := f.submit(task.Submission{FairnessKey: "b"})
			t, err := f.store.Claim(f.ctx, rules)
			f.ok(err)
			f.ok(f.store.Complete(f.ctx, t.ID, 1, text(""), nil))
			if t.ID == waits {
				f.next(rules, once, 1)
				return
			}
		}
		f.Error("a key that always has one new task goes before another each time")
	},
	"weights": func(f *fixture) {
		weighted := task.ClaimRules{Lease: lease, Weights: map[string]float64{"gold": 3, "half": 0.5}}
		for range 20 {
			for _, key := range []string{"gold", "free", "half"} {
				f.submit(task.Submission{FairnessKey: key})
			}
		}
		count := map[string]int{}
		for range 18 {
			t, err := f.store.Claim(f.ctx, weighted)
			f.ok(err)
			count[t.FairnessKey]++
		}
		if want := map[string]int{"gold": 12, "free": 4, "half": 2}; !reflect.DeepEqual(count, want) {
			f.Errorf("of 18 running tasks %v; want %v", count, want)
		}
	},
	"a new key goes before a backlog": func(f *fixture) {
		f.many(50)
		for range 5 {
			_, err := f.store.Claim(f.ctx, rules)
			f.ok(err)
		}
		f.next(rules, f.submit(task.Submission{FairnessKey: "b", Priority: task.MinPriority}), 1)
	},
	"max running of a type": func(f *fixture) {
		limited := task.ClaimRules{Lease: lease, Limits: map[string]task.Limit{"a": {MaxRunning: 2}}}
		a1, a2, a3 := f.submit(task.Submission{Type: "a"}), f.submit(task.Submission{Type: "a", FairnessKey: "z"}), f.submit(task.Submission{Type: "a"})
		f.next(limited, a1, 1)
		f.next(limited, a2, 1)
		f.nothing(limited)
		b := f.submit(task.Submission{Type: "b", Priority: task.MinPriority})
		f.next(limited, b, 1)
		f.nothing(limited)
		f.Age(f, 2*lease)
		f.nothing(limited) // a dead worker's task counts until its rescue
		f.rescue(became{Requeued: 3})
		f.next(limited, a3, 1)
	},
	"max running of each key of a type": func(f *fixture) {
		limited := task.ClaimRules{Lease: lease, Limits: map[string]task.Limit{"a": {MaxRunning: 3, MaxRunningPerKey: 1}}}
		k1, _, _, _ := f.keyed4of("a", "k")
		l1, l2, _, _ := f.keyed4of("a", "l")
		f.next(limited, k1, 1)
		f.next(limited, l1, 1)
		f.nothing(limited)
		other := f.submit(task.Submission{Type: "b", FairnessKey: "k"})
		f.next(limited, other, 1)
		f.ok(f.store.Fail(f.ctx, l1, 1, "reason", nil))
		f.next(limited, l2, 1)
	},
	"a closed type": func(f *fixture) {
		id := f.submit(task.Submission{Type: "a"})
		f.nothing(task.ClaimRules{Lease: lease, Limits: map[string]task.Limit{"a": {MaxRunning: 5, Closed: true}}})
		f.next(rules, id, 1)
	},
	"delayed": func(f *fixture) {
		delayed, at := f.submit(task.Submission{Delay: time.Minute, Priority: 1}), f.submit(task.Submission{RunAt: time.Now().Add(10 * time.Minute)})
		past := f.submit(task.Submission{RunAt: time.Now().Add(-time.Hour)})
		f.next(rules, past, 1)
		f.nothing(rules)
		if t := f.get(delayed); t.RunAt.Sub(t.CreatedAt) != time.Minute || t.Status != task.Pending {
			f.Errorf("a delayed task is %+v", t)
		}
		f.Age(f, time.Minute)
		f.next(rules, delayed, 1)
		f.nothing(rules)
		f.Age(f, 9*time.Minute)
		f.next(rules, at, 1)
	},
	"expired": func(f *fixture) {
		f.submit(task.Submission{TTL: time.Minute})
		f.submit(task.Submission{ExpiresAt: time.Now().Add(time.Minute), Delay: time.Second})
		lives := f.submit(task.Submission{TTL: time.Hour, Priority: task.MinPriority})
		f.Age(f, 2*time.Minute)
		f.next(rules, lives, 1)
		f.nothing(rules)
	},
	"update": func(f *fixture) {
		first, second := f.create(), f.create()
		t, err := f.store.Update(f.ctx, second, task.Change{Priority: 1})
		f.ok(err)
		if t.Priority != 1 || t.ID != second {
			f.Errorf("updated task is %+v", t)
		}
		f.next(rules, second, 1)
		at := time.Now().Add(time.Hour).Truncate(time.Microsecond)
		t, err = f.store.Update(f.ctx, first, task.Change{RunAt: at})
		f.ok(err)
		if !t.RunAt.Equal(at) || t.Priority != task.DefaultPriority {
			f.Errorf("updated task is %+v; want it to run at %s", t, at)
		}
		f.nothing(rules)
		_, err = f.store.Update(f.ctx, first, task.Change{RunAt: time.Now().Add(-time.Second)})
		f.ok(err)
		f.next(rules, first, 1)
		_, err = f.store.Update(f.ctx, first, task.Change{Priority: 1})
		f.is(err, task.ErrNotWaiting)
		_, err = f.store.Update(f.ctx, NewID(f), task.Change{Priority: 1})
		f.is(err, task.ErrNotFound)
	},
	"a client's retry": func(f *fixture) {
		id := f.submit(task.Submission{MaxAttempts: 1, TTL: time.Hour})
		f.next(rules, id, 1)
		_, err := f.store.Retry(f.ctx, id)
		f.is(err, task.ErrNotFailed)
		f.ok(f.store.Fail(f.ctx, id, 1, "reason", nil))
		f.Age(f, 2*time.Hour)
		t, err := f.store.Retry(f.ctx, id)
		f.ok(err)
		if t.Status != task.Pending || len(t.Attempts) != 1 || t.Duration != 0 {
			f.Errorf("retried task is %+v", t)
		}
		f.next(rules, id, 2)
		again, err := f.store.Requeue(f.ctx, id, 2, "again", 0, policy.MaxAttempts, nil)
		f.ok(err)
		if again {
			f.Error("the only attempt after the retry was not the last")
		}
		_, err = f.store.Retry(f.ctx, NewID(f))
		f.is(err, task.ErrNotFound)
	},
	"many claims at once keep the limits": func(f *fixture) {
		limited := task.ClaimRules{Lease: lease, Limits: map[string]task.Limit{"a": {MaxRunning: 5, MaxRunningPerKey: 2}, "b": {MaxRunning: 3}}}
		for n := range 60 {
			f.submit(task.Submission{Type: []string{"a", "b"}[n%2], FairnessKey: fmt.Sprint("key", n%4)})
		}
		stores := []task.Store{f.store, f.Open(f), f.Open(f), f.Open(f)}
		var running struct {
			sync.Mutex
			types, keys map[string]int
		}
		running.types, running.keys = map[string]int{}, map[string]int{}
		var done atomic.Int64
		var all sync.WaitGroup
		for n := range 12 {
			all.Go(func() {
				store := stores[n%len(stores)]
				for done.Load() < 60 && !f.Failed() {
					t, err := store.Claim(f.ctx, limited)
					if err != nil {
						continue // at a limit
					}
					running.Lock() // after the claim and before the ending: never more than in the store
					running.types[t.Type]++
					running.keys[t.Type+t.FairnessKey]++
					if running.types["a"] > 5 || running.types["b"] > 3 || t.Type == "a" && running.keys["a"+t.FairnessKey] > 2 {
						f.Errorf("running are %v, %v", running.types, running.keys)
					}
					running.Unlock()
					running.Lock()
					running.types[t.Type]--
					running.keys[t.Type+t.FairnessKey]--
					running.Unlock()
					if err := store.Complete(f.ctx, t.ID, t.Attempt, text(""), nil); err != nil {
						f.Error(err)
					}
					done.Add(1)
				}
			})
		}
		all.Wait()
		f.waiting(0)
		f.nothing(rules)
	},
	"tasks that come while a lane empties are not forgotten": func(f *fixture) {
		stores := []task.Store{f.store, f.Open(f), f.Open(f), f.Open(f)}
		const each = 40
		var claimed atomic.Int64
		var all sync.WaitGroup
		for n, store := range stores {
			all.Go(func() {
				for i := range each {
					if n%2 == 0 {
						if _, _, err := store.Create(f.ctx, NewID(f), task.Submission{FairnessKey: fmt.Sprint(i % 2)}, task.Key{}); err != nil {
							f.Error(err)
						}
					} else if _, err := store.Claim(f.ctx, rules); err == nil {
						claimed.Add(1)
					}
				}
			})
		}
		all.Wait()
		for range 2*each - int(claimed.Load()) {
			_, err := f.store.Claim(f.ctx, rules)
			f.ok(err)
		}
		f.nothing(rules)
	},
}

// keyed4 submits four tasks of a key.
func (f *fixture) keyed4(key string) (a, b, c, d uuid.UUID) { return f.keyed4of(task.DefaultType, key) }

func (f *fixture) keyed4of(typ, key string) (a, b, c, d uuid.UUID) {
	f.Helper()
	s := task.Submission{Type: typ, FairnessKey: key}
	return f.submit(s), f.submit(s), f.submit(s), f.submit(s)
}
