package storetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var upkeep = map[string]func(*fixture){
	"load": func(f *fixture) {
		f.many(3)
		f.submit(task.Submission{Delay: time.Hour})
		f.waiting(3)
		f.running()
		for most, want := range map[int]task.Load{2: {Waiting: 2, Running: 1}, enough: {Waiting: 3, Running: 1}} {
			if got, err := f.store.Load(f.ctx, most); err != nil || got != want {
				f.Errorf("load up to %d is %+v, %v; want %+v", most, got, err, want)
			}
		}
	},
	"wake": func(f *fixture) {
		f.submit(task.Submission{Delay: time.Minute})
		later := f.submit(task.Submission{Delay: time.Hour})
		f.wake(0)
		f.Age(f, 2*time.Minute)
		f.wake(1)
		f.wake(0)
		f.waiting(1)
		f.Age(f, time.Hour)
		f.ok(f.store.Cancel(f.ctx, later))
		f.wake(0)
	},
	"announce a permit once its delay is short enough": func(f *fixture) {
		f.submit(task.Submission{Delay: task.MaxDelay}) // its submission sends the permit
		far := f.submit(task.Submission{Delay: task.MaxDelay + time.Hour, FairnessKey: "k", Trace: "Root=1-5-7"})
		f.announced()
		f.Age(f, 50*time.Minute)
		f.announced()
		f.Age(f, 15*time.Minute)
		permits := f.announced(far)
		if p := permits[0]; p.FairnessKey != "k" || p.Trace != "Root=1-5-7" || p.Delay > 10*time.Minute || p.Delay < 10*time.Minute-5*time.Second {
			f.Errorf("permit is %+v; want key, trace and a delay of 10 minutes", p)
		}
		f.announced()
		id, attempt := f.running()
		f.requeue(id, attempt, "reason", 24*time.Hour)
		f.Age(f, 24*time.Hour-task.MaxDelay)
		f.announced(id)
	},
	"expire": func(f *fixture) {
		running := f.submit(task.Submission{TTL: time.Minute})
		f.next(rules, running, 1)
		waits, scheduled := f.submit(task.Submission{TTL: time.Minute}), f.submit(task.Submission{TTL: time.Minute, Delay: time.Hour})
		f.expired()
		f.Age(f, 2*time.Minute)
		f.expired(waits, scheduled)
		f.expired()
		f.want(running, task.Running, "", "", 1)
		f.want(waits, task.Failed, "", task.Expired, 0)
		f.want(scheduled, task.Failed, "", task.Expired, 0)
	},
	"purge": func(f *fixture) {
		ids := f.many(5)
		for _, id := range ids[:4] {
			f.claim(id, 1)
		}
		f.ok(f.store.Complete(f.ctx, ids[0], 1, text("result"), nil))
		f.ok(f.store.Fail(f.ctx, ids[1], 1, "reason", nil))
		f.ok(f.store.Complete(f.ctx, ids[2], 1, text("result"), nil))
		f.ok(f.store.Cancel(f.ctx, ids[2]))
		keep := task.Retention{Ended: 72 * time.Hour, Cancelled: time.Hour}
		f.purge(0, enough, keep)
		f.Age(f, 2*time.Hour)
		f.purge(1, enough, keep) // the cancelled one
		f.page(task.Page{}, ids[0], ids[1], ids[3], ids[4])
		f.Age(f, 72*time.Hour)
		f.purge(2, enough, keep)
		f.page(task.Page{}, ids[3], ids[4]) // waiting and running tasks stay, however old
		f.purge(0, enough, keep)
	},
	"purge counts the days of a deletion from the deletion": func(f *fixture) {
		id := f.create()
		f.Age(f, 48*time.Hour)
		f.ok(f.store.Cancel(f.ctx, id))
		keep := task.Retention{Ended: time.Hour, Cancelled: time.Hour}
		f.purge(0, enough, keep)
		f.Age(f, 2*time.Hour)
		f.purge(1, enough, keep)
	},
	"purge keeps the limit": func(f *fixture) {
		for i, id := range f.many(6) {
			f.claim(id, 1)
			f.ok(f.store.Complete(f.ctx, id, 1, text(""), nil))
			if i%2 == 0 {
				f.ok(f.store.Cancel(f.ctx, id))
			}
			f.keyed(true, id.String(), "")
		}
		f.Age(f, task.KeyLifetime+time.Hour)
		keep := task.Retention{Ended: time.Hour, Cancelled: time.Hour}
		f.purge(6, 2, keep) // two of each kind: ended, cancelled, keys
		f.purge(4, 2, keep) // one ended, one cancelled, two keys
		f.purge(2, 2, keep)
		f.purge(0, 2, keep)
	},
	"purge forgets keys after KeyLifetime": func(f *fixture) {
		f.keyed(true, "k", "body")
		f.Age(f, task.KeyLifetime-time.Hour)
		f.purge(0, enough, task.Retention{})
		f.Age(f, 2*time.Hour)
		f.purge(1, enough, task.Retention{})
		f.keyed(true, "k", "body")
	},
}

func (f *fixture) purge(want, limit int, keep task.Retention) {
	f.Helper()
	n, err := f.store.Purge(f.ctx, limit, keep)
	f.ok(err)
	if n != want {
		f.Fatalf("purged %d rows; want %d", n, want)
	}
}

// announced checks whose permits are due to be sent.
func (f *fixture) announced(want ...uuid.UUID) []task.Permit {
	f.Helper()
	permits, err := f.store.Announce(f.ctx, enough)
	f.ok(err)
	got := make([]uuid.UUID, len(permits))
	for i, p := range permits {
		got[i] = p.Task
	}
	same(f, "announced", got, want)
	return permits
}

// expired checks which tasks expire, in any order.
func (f *fixture) expired(want ...uuid.UUID) {
	f.Helper()
	got, err := f.store.Expire(f.ctx, enough)
	f.ok(err)
	slices.SortFunc(got, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	same(f, "expired", got, want)
}
