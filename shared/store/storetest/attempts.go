package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/shared/task"
)

var attempts = map[string]func(*fixture){
	"claim unknown": func(f *fixture) {
		_, err := f.store.Claim(f.ctx, newID(f), lease, policy.MaxAttempts)
		f.is(err, task.ErrNotClaimable)
	},
	"claim pending": func(f *fixture) {
		id, _ := f.running()
		f.want(id, task.Running, "", "", 1)
		f.until("the duration of a running task grows", func() bool { return f.get(id).Duration > 0 })
		f.unsent() // its message was there, whether it was marked or not
	},
	"claim running": func(f *fixture) {
		id, _ := f.running()
		_, err := f.store.Claim(f.ctx, id, lease, policy.MaxAttempts)
		f.is(err, task.ErrNotClaimable)
		f.want(id, task.Running, "", "", 1)
	},
	"claim after the lease": func(f *fixture) {
		id, first := f.running()
		f.Age(f, 2*lease)
		second := f.claim(id, 2)
		f.is(f.store.Heartbeat(f.ctx, id, first, lease), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, id, first, text("late")), task.ErrLeaseLost)
		f.ok(f.store.Complete(f.ctx, id, second, text("result")))
		f.want(id, task.Completed, "result", "", 2)
	},
	"claim after the last attempt's lease": func(f *fixture) {
		id, _ := f.running()
		for attempt := 2; attempt <= policy.MaxAttempts; attempt++ {
			f.Age(f, 2*lease)
			f.claim(id, attempt)
		}
		f.Age(f, 2*lease)
		_, err := f.store.Claim(f.ctx, id, lease, policy.MaxAttempts)
		f.is(err, task.ErrNotClaimable)
		f.rescue(became{Failed: 1})
	},
	"claim ended": func(f *fixture) {
		done, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, done, attempt, text("")))
		_, err := f.store.Claim(f.ctx, done, lease, policy.MaxAttempts)
		f.is(err, task.ErrNotClaimable)
		failed, attempt := f.running()
		f.ok(f.store.Fail(f.ctx, failed, attempt, "reason"))
		f.Age(f, 2*lease)
		_, err = f.store.Claim(f.ctx, failed, lease, policy.MaxAttempts)
		f.is(err, task.ErrNotClaimable)
	},
	"a lease really ends": func(f *fixture) {
		id := f.create()
		_, err := f.store.Claim(f.ctx, id, time.Millisecond, policy.MaxAttempts)
		f.ok(err)
		f.until("the lease ends", func() bool {
			_, err := f.store.Claim(f.ctx, id, lease, policy.MaxAttempts)
			if err != nil {
				f.is(err, task.ErrNotClaimable)
			}
			return err == nil
		})
		f.want(id, task.Running, "", "", 2)
	},
	"heartbeat extends the lease": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, lease-time.Minute)
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease))
		f.Age(f, lease-time.Minute)
		f.rescue(became{})
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease))
		f.want(id, task.Running, "", "", 1)
	},
	"heartbeat after the lease, before anyone noticed": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, 2*lease)
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease))
		f.rescue(became{})
	},
	"fenced off": func(f *fixture) {
		id, _ := f.running()
		for _, wrong := range []int{0, 2} {
			f.is(f.store.Heartbeat(f.ctx, id, wrong, lease), task.ErrLeaseLost)
			f.is(f.store.Complete(f.ctx, id, wrong, text("x")), task.ErrLeaseLost)
			f.is(f.store.Fail(f.ctx, id, wrong, "x"), task.ErrLeaseLost)
			f.noRetry(id, wrong)
			f.is(f.store.Release(f.ctx, id, wrong), task.ErrLeaseLost)
		}
		f.want(id, task.Running, "", "", 1)
		pending := f.create()
		f.is(f.store.Heartbeat(f.ctx, pending, 0, lease), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, pending, 0, text("x")), task.ErrLeaseLost)
		f.is(f.store.Fail(f.ctx, newID(f), 1, "x"), task.ErrLeaseLost)
	},
	"one of many claims wins": func(f *fixture) {
		stores := []task.Store{f.store, f.Open(f), f.Open(f)}
		for range 10 {
			id := f.create()
			var mu sync.Mutex
			won := 0
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					_, err := stores[i%len(stores)].Claim(f.ctx, id, lease, policy.MaxAttempts)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case !errors.Is(err, task.ErrNotClaimable):
						f.Error(err)
					}
				})
			}
			if all.Wait(); won != 1 {
				f.Fatalf("%d claims succeeded; want 1", won)
			}
			f.want(id, task.Running, "", "", 1)
		}
	},
}

var endings = map[string]func(*fixture){
	"complete": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, 5*time.Minute)
		f.ok(f.store.Complete(f.ctx, id, attempt, text("io work result = 7")))
		t := f.want(id, task.Completed, "io work result = 7", "", 1)
		if t.Duration < 5*time.Minute || t.Duration > 6*time.Minute {
			f.Errorf("duration is %s; want 5m", t.Duration)
		}
		f.Age(f, time.Hour)
		if again := f.get(id); again.Duration != t.Duration {
			f.Errorf("duration grew from %s to %s after the end", t.Duration, again.Duration)
		}
		f.is(f.store.Complete(f.ctx, id, attempt, text("again")), task.ErrLeaseLost)
		f.is(f.store.Fail(f.ctx, id, attempt, "again"), task.ErrLeaseLost)
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease), task.ErrLeaseLost)
		f.want(id, task.Completed, "io work result = 7", "", 1)
	},
	"fail": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Fail(f.ctx, id, attempt, "no route to host"))
		f.want(id, task.Failed, "", "no route to host", 1)
		f.is(f.store.Complete(f.ctx, id, attempt, text("again")), task.ErrLeaseLost)
		f.noRetry(id, attempt)
		f.is(f.store.Release(f.ctx, id, attempt), task.ErrLeaseLost)
		f.want(id, task.Failed, "", "no route to host", 1)
	},
	"empty result and reason": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, text("")))
		f.want(id, task.Completed, "", "", 1)
		id, attempt = f.running()
		f.ok(f.store.Fail(f.ctx, id, attempt, ""))
		f.want(id, task.Failed, "", "", 1)
	},
	"words that are no text": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, text("a\x00b\xffc é")))
		f.want(id, task.Completed, "a\x00b\xffc é", "", 1)
		id, attempt = f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, []byte("\"a\x00b\xff\"")))
		f.want(id, task.Completed, "a\uFFFDb\uFFFD", "", 1)
		id, attempt = f.running()
		f.retry(id, attempt, "a\x00b\xff", 0)
		f.want(id, task.Pending, "", "a\uFFFDb\uFFFD", 1)
		attempt = f.claim(id, 2)
		f.ok(f.store.Fail(f.ctx, id, attempt, "a\x00b\xff"))
		f.want(id, task.Failed, "", "a\uFFFDb\uFFFD", 2)
	},
	"retry": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.MarkEnqueued(f.ctx, id))
		f.retry(id, attempt, "reset by peer", time.Minute)
		if t := f.want(id, task.Pending, "", "reset by peer", 1); t.Duration != 0 {
			f.Errorf("a waiting task has duration %s; want 0", t.Duration)
		}
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease), task.ErrLeaseLost)
		f.unsent() // not yet
		f.Age(f, 2*time.Minute)
		f.unsent(id)
		attempt = f.claim(id, 2)
		f.want(id, task.Running, "", "reset by peer", 2)
		f.ok(f.store.Complete(f.ctx, id, attempt, text("result")))
		f.want(id, task.Completed, "result", "", 2)
	},
	"retry counts as an attempt": func(f *fixture) {
		id, _ := f.running()
		for attempt := 1; attempt < policy.MaxAttempts; attempt++ {
			f.retry(id, attempt, "reason", 0)
			f.claim(id, attempt+1)
		}
		f.Age(f, 2*lease)
		f.rescue(became{Failed: 1})
	},
	"retry after the last attempt": func(f *fixture) {
		id, attempt := f.running()
		f.retry(id, attempt, "first", 0)
		attempt = f.claim(id, 2)
		f.ok(f.store.Release(f.ctx, id, attempt)) // does not count, though the token grows
		attempt = f.claim(id, 3)
		f.retry(id, attempt, "second", 0)
		attempt = f.claim(id, 4)
		f.Age(f, time.Minute)
		again, err := f.store.Requeue(f.ctx, id, attempt, "last", 0, policy.MaxAttempts)
		f.ok(err)
		if again {
			f.Error("a task without attempts left is tried again")
		}
		if t := f.want(id, task.Failed, "", "last", 4); t.Duration < time.Minute {
			f.Errorf("duration is %s; want the last attempt's, a minute", t.Duration)
		}
		f.noRetry(id, attempt)
		f.Age(f, 24*time.Hour)
		f.unsent()
	},
	"release": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Release(f.ctx, id, attempt))
		f.want(id, task.Pending, "", "", 1)
		f.is(f.store.Complete(f.ctx, id, attempt, text("late")), task.ErrLeaseLost)
		f.unsent(id)
		f.claim(id, 2)
	},
	"release does not count as an attempt": func(f *fixture) {
		id, _ := f.running()
		for attempt := 1; attempt <= 2*policy.MaxAttempts; attempt++ {
			f.ok(f.store.Release(f.ctx, id, attempt))
			f.claim(id, attempt+1)
		}
		f.Age(f, 2*lease)
		f.rescue(became{Requeued: 1})
	},
	"release keeps the last error": func(f *fixture) {
		id, attempt := f.running()
		f.retry(id, attempt, "reason", 0)
		attempt = f.claim(id, 2)
		f.ok(f.store.Release(f.ctx, id, attempt))
		f.want(id, task.Pending, "", "reason", 2)
	},
}
