package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/eragon-mdi/ksu/shared/task"
)

var rescues = map[string]func(*fixture){
	"none": func(f *fixture) {
		f.create()
		f.running()
		f.rescue(became{})
	},
	"back to pending": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, 2*lease)
		f.rescue(became{Requeued: 1})
		f.want(id, task.Pending, "", policy.Reason, 1)
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease, nil), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, id, attempt, text("late"), nil), task.ErrLeaseLost)
		f.nothing(rules) // not before the backoff
		f.Age(f, policy.Backoff+time.Second)
		f.next(rules, id, 2)
	},
	"backoff doubles, then the task fails": func(f *fixture) {
		id := f.create()
		for attempt := 1; attempt < policy.MaxAttempts; attempt++ {
			f.claim(id, attempt)
			f.Age(f, 2*lease)
			rescued := f.rescue(became{Requeued: 1})
			wait := policy.Backoff << (attempt - 1)
			f.dueIn(rescued[0], wait)
			f.Age(f, wait-10*time.Second)
			f.nothing(rules)
			f.Age(f, 20*time.Second)
		}
		f.claim(id, policy.MaxAttempts)
		f.Age(f, 2*lease)
		f.rescue(became{Failed: 1})
		t := f.want(id, task.Failed, "", policy.Reason, policy.MaxAttempts)
		if t.Duration < 2*lease {
			f.Errorf("duration is %s; want the last attempt's, over %s", t.Duration, 2*lease)
		}
		f.Age(f, 24*time.Hour)
		f.nothing(rules)
	},
	"a huge backoff is still a time": func(f *fixture) {
		id := f.create()
		for attempt := 1; attempt <= 40; attempt++ {
			f.Age(f, time.Hour<<20)
			f.claim(id, attempt)
			f.Age(f, 2*lease)
			got, err := f.store.Rescue(f.ctx, enough, task.RetryPolicy{MaxAttempts: 100, Backoff: time.Hour, Reason: policy.Reason})
			f.ok(err)
			f.became("rescued", got, became{Requeued: 1})
			f.dueIn(got[0], time.Hour<<min(attempt-1, 20))
		}
	},
	"no backoff": func(f *fixture) {
		id, _ := f.running()
		f.Age(f, 2*lease)
		got, err := f.store.Rescue(f.ctx, enough, task.RetryPolicy{MaxAttempts: 2, Reason: policy.Reason})
		f.ok(err)
		f.became("rescued", got, became{Requeued: 1})
		f.dueIn(got[0], 0)
		f.next(rules, id, 2)
	},
	"keeps the limit": func(f *fixture) {
		for range 5 {
			f.running()
		}
		f.Age(f, 2*lease)
		for _, want := range []int{2, 2, 1, 0} {
			got, err := f.store.Rescue(f.ctx, 2, policy)
			f.ok(err)
			f.became("rescued", got, became{Requeued: want})
		}
	},
	"each task by one sweeper": func(f *fixture) {
		const n = 30
		for range n {
			f.running()
		}
		f.Age(f, 2*lease)
		var requeued atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			store := f.Open(f)
			all.Go(func() {
				for range n {
					got, err := store.Rescue(f.ctx, 3, policy)
					if err != nil {
						f.Error(err)
					}
					requeued.Add(int64(len(got)))
				}
			})
		}
		if all.Wait(); requeued.Load() != n {
			f.Errorf("rescued %d; want %d", requeued.Load(), n)
		}
	},
}
