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
		f.ok(f.store.MarkEnqueued(f.ctx, id))
		f.Age(f, 2*lease)
		f.rescue(became{Requeued: 1})
		f.want(id, task.Pending, "", policy.Reason, 1)
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, id, attempt, text("late")), task.ErrLeaseLost)
		f.unsent() // not before the backoff
		f.Age(f, policy.Backoff+time.Second)
		f.unsent(id)
		f.claim(id, 2)
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
			f.unsent()
			f.Age(f, 20*time.Second)
			f.unsent(id)
		}
		f.claim(id, policy.MaxAttempts)
		f.Age(f, 2*lease)
		f.rescue(became{Failed: 1})
		t := f.want(id, task.Failed, "", policy.Reason, policy.MaxAttempts)
		if t.Duration < 2*lease {
			f.Errorf("duration is %s; want the last attempt's, over %s", t.Duration, 2*lease)
		}
		f.Age(f, 24*time.Hour)
		f.unsent()
	},
	"a huge backoff is still a time": func(f *fixture) {
		id := f.create()
		for attempt := 1; attempt <= 40; attempt++ {
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
		f.unsent(id)
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
	"settle pending": func(f *fixture) {
		id := f.create()
		f.ok(f.store.MarkEnqueued(f.ctx, id))
		f.settle(id, became{Requeued: 1})
		f.want(id, task.Pending, "", policy.Reason, 0)
		f.unsent()
		f.Age(f, policy.Backoff+time.Second)
		f.unsent(id)
		f.ok(f.store.MarkEnqueued(f.ctx, id))
		f.settle(id, became{Requeued: 1})
		f.Age(f, policy.Backoff+time.Second)
		f.unsent() // the wait doubled
		f.Age(f, policy.Backoff)
		f.unsent(id)
		f.settle(id, became{Failed: 1})
		if t := f.want(id, task.Failed, "", policy.Reason, 0); t.Duration != 0 {
			f.Errorf("duration of a task that never ran is %s; want 0", t.Duration)
		}
		f.settle(id, became{})
	},
	"settle counts with claims": func(f *fixture) {
		id, attempt := f.running()
		f.retry(id, attempt, "reason", 0)
		f.settle(id, became{Requeued: 1})
		f.claim(id, 2) // the fencing token counts claims alone
		f.Age(f, 2*lease)
		f.settle(id, became{Failed: 1})
		f.want(id, task.Failed, "", policy.Reason, 2)
	},
	"settle running": func(f *fixture) {
		id, attempt := f.running()
		f.settle(id, became{})
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease))
		f.Age(f, 2*lease)
		f.settle(id, became{Requeued: 1})
		f.want(id, task.Pending, "", policy.Reason, 1)
	},
	"settle ended, deleted and unknown": func(f *fixture) {
		done, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, done, attempt, text("result")))
		deleted := f.create()
		f.ok(f.store.Cancel(f.ctx, deleted))
		f.settle(done, became{})
		f.settle(deleted, became{})
		f.settle(newID(f), became{})
		f.want(done, task.Completed, "result", "", 1)
	},
}
