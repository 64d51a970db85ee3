package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var attempts = map[string]func(*fixture){
	"claim pending": func(f *fixture) {
		id, _ := f.running()
		f.want(id, task.Running, "", "", 1)
		f.until("the duration of a running task grows", func() bool { return f.get(id).Duration > 0 })
		f.nothing(rules)
	},
	"a task whose lease has expired waits for its rescue": func(f *fixture) {
		id, first := f.running()
		f.Age(f, 2*lease)
		f.nothing(rules)
		f.rescue(became{Requeued: 1})
		f.Age(f, 2*policy.Backoff)
		f.next(rules, id, 2)
		f.is(f.store.Heartbeat(f.ctx, id, first, lease, nil), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, id, first, text("late"), nil), task.ErrLeaseLost)
		f.ok(f.store.Complete(f.ctx, id, 2, text("result"), nil))
		f.want(id, task.Completed, "result", "", 2)
	},
	"claim ended": func(f *fixture) {
		done, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, done, attempt, text(""), nil))
		failed, attempt := f.running()
		f.ok(f.store.Fail(f.ctx, failed, attempt, "reason", nil))
		f.Age(f, 2*lease)
		f.nothing(rules)
	},
	"a lease really ends": func(f *fixture) {
		id := f.create()
		f.next(task.ClaimRules{Lease: time.Millisecond}, id, 1)
		f.until("the lease ends", func() bool {
			rescued, err := f.store.Rescue(f.ctx, enough, policy)
			f.ok(err)
			return len(rescued) == 1
		})
	},
	"heartbeat extends the lease": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, lease-time.Minute)
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, nil))
		f.Age(f, lease-time.Minute)
		f.rescue(became{})
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, nil))
		f.want(id, task.Running, "", "", 1)
	},
	"heartbeat after the lease, before anyone noticed": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, 2*lease)
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, nil))
		f.rescue(became{})
	},
	"fenced off": func(f *fixture) {
		id, _ := f.running()
		for _, wrong := range []int{0, 2} {
			f.is(f.store.Heartbeat(f.ctx, id, wrong, lease, nil), task.ErrLeaseLost)
			f.is(f.store.Complete(f.ctx, id, wrong, text("x"), nil), task.ErrLeaseLost)
			f.is(f.store.Fail(f.ctx, id, wrong, "x", nil), task.ErrLeaseLost)
			f.noRetry(id, wrong)
			f.is(f.store.Release(f.ctx, id, wrong, 0), task.ErrLeaseLost)
		}
		f.want(id, task.Running, "", "", 1)
		pending := f.create()
		f.is(f.store.Heartbeat(f.ctx, pending, 0, lease, nil), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, pending, 0, text("x"), nil), task.ErrLeaseLost)
		f.is(f.store.Fail(f.ctx, NewID(f), 1, "x", nil), task.ErrLeaseLost)
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
					_, err := stores[i%len(stores)].Claim(f.ctx, rules)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case !errors.Is(err, task.ErrNothingToClaim):
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
	"progress": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, &task.Progress{Done: 3, Total: 7, Note: "a\x00b"}))
		f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, nil))
		want := task.Progress{Done: 3, Total: 7, Note: "a\x00b"}
		f.requeue(id, attempt, "reason", 0)
		t := f.next(rules, id, 2) // it survives a retry
		if t.Progress == nil || *t.Progress != want {
			f.Errorf("progress is %+v; want %+v", t.Progress, want)
		}
	},
	"an ending stores the progress": func(f *fixture) {
		last := &task.Progress{Done: 7, Total: 7, Note: "a\x00b"}
		for name, end := range map[string]func(id uuid.UUID, progress *task.Progress) error{
			"complete": func(id uuid.UUID, p *task.Progress) error { return f.store.Complete(f.ctx, id, 1, text("result"), p) },
			"fail":     func(id uuid.UUID, p *task.Progress) error { return f.store.Fail(f.ctx, id, 1, "reason", p) },
			"requeue": func(id uuid.UUID, p *task.Progress) error {
				_, err := f.store.Requeue(f.ctx, id, 1, "reason", time.Hour, policy.MaxAttempts, p)
				return err
			},
		} {
			for _, given := range []*task.Progress{nil, last} {
				want := task.Progress{Done: 3, Total: 7}
				id, attempt := f.running()
				f.ok(f.store.Heartbeat(f.ctx, id, attempt, lease, &want))
				f.ok(end(id, given))
				if given != nil {
					want = *given
				}
				if t := f.get(id); t.Progress == nil || *t.Progress != want {
					f.Errorf("%s: progress is %+v; want %+v", name, t.Progress, want)
				}
			}
		}
	},
	"each ended attempt is recorded": func(f *fixture) {
		id, _ := f.running()
		f.Age(f, time.Minute)
		f.requeue(id, 1, "first", 0)
		f.claim(id, 2)
		f.ok(f.store.Release(f.ctx, id, 2, 0)) // leaves none
		f.claim(id, 3)
		f.Age(f, 2*lease)
		f.rescue(became{Requeued: 1})
		f.Age(f, 2*policy.Backoff)
		f.claim(id, 4)
		f.ok(f.store.Complete(f.ctx, id, 4, text("result"), nil))
		got := f.get(id).Attempts
		want := []task.AttemptRecord{{Number: 1, Error: "first"}, {Number: 3, Error: policy.Reason}, {Number: 4}}
		if len(got) != len(want) {
			f.Fatalf("attempts are %+v; want %+v", got, want)
		}
		for i, a := range got {
			if a.Number != want[i].Number || a.Error != want[i].Error || a.Ended.Before(a.Started) || a.Started.Location() != time.UTC ||
				a.Started.Nanosecond()%1000 != 0 {
				f.Errorf("attempt is %+v; want %+v", a, want[i])
			}
		}
		if took := got[0].Ended.Sub(got[0].Started); took < time.Minute || took > 2*time.Minute {
			f.Errorf("the first attempt took %s; want a minute", took)
		}
	},
}

var endings = map[string]func(*fixture){
	"complete": func(f *fixture) {
		id, attempt := f.running()
		f.Age(f, 5*time.Minute)
		f.ok(f.store.Complete(f.ctx, id, attempt, text("io work result = 7"), nil))
		t := f.want(id, task.Completed, "io work result = 7", "", 1)
		if t.Duration < 5*time.Minute || t.Duration > 6*time.Minute {
			f.Errorf("duration is %s; want 5m", t.Duration)
		}
		f.Age(f, time.Hour)
		if again := f.get(id); again.Duration != t.Duration {
			f.Errorf("duration grew from %s to %s after the end", t.Duration, again.Duration)
		}
		f.is(f.store.Complete(f.ctx, id, attempt, text("again"), nil), task.ErrLeaseLost)
		f.is(f.store.Fail(f.ctx, id, attempt, "again", nil), task.ErrLeaseLost)
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease, nil), task.ErrLeaseLost)
		f.want(id, task.Completed, "io work result = 7", "", 1)
	},
	"fail": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Fail(f.ctx, id, attempt, "no route to host", nil))
		f.want(id, task.Failed, "", "no route to host", 1)
		f.is(f.store.Complete(f.ctx, id, attempt, text("again"), nil), task.ErrLeaseLost)
		f.noRetry(id, attempt)
		f.is(f.store.Release(f.ctx, id, attempt, 0), task.ErrLeaseLost)
		f.want(id, task.Failed, "", "no route to host", 1)
	},
	"empty result and reason": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, text(""), nil))
		f.want(id, task.Completed, "", "", 1)
		id, attempt = f.running()
		f.ok(f.store.Fail(f.ctx, id, attempt, "", nil))
		f.want(id, task.Failed, "", "", 1)
	},
	"words that are no text": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, text("a\x00b\xffc é"), nil))
		f.want(id, task.Completed, "a\x00b\xffc é", "", 1)
		id, attempt = f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, []byte("\"a\x00b\xff\""), nil))
		f.want(id, task.Completed, "a\uFFFDb\uFFFD", "", 1)
		id, attempt = f.running()
		f.requeue(id, attempt, "a\x00b\xff", 0)
		f.want(id, task.Pending, "", "a\uFFFDb\uFFFD", 1)
		attempt = f.claim(id, 2)
		f.ok(f.store.Fail(f.ctx, id, attempt, "a\x00b\xff", nil))
		f.want(id, task.Failed, "", "a\uFFFDb\uFFFD", 2)
	},
	"retry": func(f *fixture) {
		id, attempt := f.running()
		f.requeue(id, attempt, "reset by peer", time.Minute)
		if t := f.want(id, task.Pending, "", "reset by peer", 1); t.Duration != 0 {
			f.Errorf("a waiting task has duration %s; want 0", t.Duration)
		}
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease, nil), task.ErrLeaseLost)
		f.nothing(rules) // not yet
		f.Age(f, 2*time.Minute)
		attempt = f.next(rules, id, 2).Attempt
		f.want(id, task.Running, "", "reset by peer", 2)
		f.ok(f.store.Complete(f.ctx, id, attempt, text("result"), nil))
		f.want(id, task.Completed, "result", "", 2)
	},
	"retry counts as an attempt": func(f *fixture) {
		id, _ := f.running()
		for attempt := 1; attempt < policy.MaxAttempts; attempt++ {
			f.requeue(id, attempt, "reason", 0)
			f.claim(id, attempt+1)
		}
		f.Age(f, 2*lease)
		f.rescue(became{Failed: 1})
	},
	"retry after the last attempt": func(f *fixture) {
		id, attempt := f.running()
		f.requeue(id, attempt, "first", 0)
		attempt = f.claim(id, 2)
		f.ok(f.store.Release(f.ctx, id, attempt, 0)) // does not count, though the token grows
		attempt = f.claim(id, 3)
		f.requeue(id, attempt, "second", 0)
		attempt = f.claim(id, 4)
		f.Age(f, time.Minute)
		again, err := f.store.Requeue(f.ctx, id, attempt, "last", 0, policy.MaxAttempts, nil)
		f.ok(err)
		if again {
			f.Error("a task without attempts left is tried again")
		}
		if t := f.want(id, task.Failed, "", "last", 4); t.Duration < time.Minute {
			f.Errorf("duration is %s; want the last attempt's, a minute", t.Duration)
		}
		f.noRetry(id, attempt)
		f.Age(f, 24*time.Hour)
		f.nothing(rules)
	},
	"release": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Release(f.ctx, id, attempt, 0))
		f.want(id, task.Pending, "", "", 1)
		f.is(f.store.Complete(f.ctx, id, attempt, text("late"), nil), task.ErrLeaseLost)
		f.next(rules, id, 2)
	},
	"release for later": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Release(f.ctx, id, attempt, time.Minute))
		f.nothing(rules)
		f.Age(f, time.Minute)
		f.next(rules, id, 2)
	},
	"a task's own max attempts": func(f *fixture) {
		more := f.submit(task.Submission{MaxAttempts: policy.MaxAttempts + 1})
		for attempt := 1; attempt <= policy.MaxAttempts; attempt++ {
			f.claim(more, attempt)
			f.requeue(more, attempt, "reason", 0)
		}
		f.ok(f.store.Cancel(f.ctx, more))
		for _, end := range []func(uuid.UUID){
			func(id uuid.UUID) {
				again, err := f.store.Requeue(f.ctx, id, 1, policy.Reason, 0, policy.MaxAttempts, nil)
				f.ok(err)
				if again {
					f.Error("the only attempt was not the last")
				}
			},
			func(uuid.UUID) { f.Age(f, 2*lease); f.rescue(became{Failed: 1}) },
		} {
			once := f.submit(task.Submission{MaxAttempts: 1})
			f.claim(once, 1)
			end(once)
			f.want(once, task.Failed, "", policy.Reason, 1)
		}
	},
	"release does not count as an attempt": func(f *fixture) {
		id, _ := f.running()
		for attempt := 1; attempt <= 2*policy.MaxAttempts; attempt++ {
			f.ok(f.store.Release(f.ctx, id, attempt, 0))
			f.claim(id, attempt+1)
		}
		f.Age(f, 2*lease)
		f.rescue(became{Requeued: 1})
	},
	"release keeps the last error": func(f *fixture) {
		id, attempt := f.running()
		f.requeue(id, attempt, "reason", 0)
		attempt = f.claim(id, 2)
		f.ok(f.store.Release(f.ctx, id, attempt, 0))
		f.want(id, task.Pending, "", "reason", 2)
	},
}
