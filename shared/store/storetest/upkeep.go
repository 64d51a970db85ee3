package storetest

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var upkeep = map[string]func(*fixture){
	"a new task is its creator's to send": func(f *fixture) {
		id := f.create()
		keyed := newID(f)
		_, _, err := f.store.Create(f.ctx, keyed, task.Submission{}, task.Key{Name: "k"})
		f.ok(err)
		f.unsent()
		f.Age(f, task.SendTime+time.Second)
		f.unsent(id, keyed)
	},
	"unsent, oldest first": func(f *fixture) {
		first, second, third := f.create(), f.create(), f.create()
		f.Age(f, task.SendTime+time.Second)
		f.unsentOf(2, first, second)
		f.unsentOf(2, third) // the others are held
		f.unsent()
		f.Age(f, 2*time.Hour)
		f.ok(f.store.MarkEnqueued(f.ctx, first))
		f.unsent(second, third)
		f.ok(f.store.MarkEnqueued(f.ctx, second))
		f.ok(f.store.MarkEnqueued(f.ctx, third))
		f.Age(f, 2*time.Hour)
		f.unsent()
	},
	"unsent after the message is gone": func(f *fixture) {
		lost, claimed := f.create(), f.create()
		f.ok(f.store.MarkEnqueued(f.ctx, lost))
		f.ok(f.store.MarkEnqueued(f.ctx, claimed))
		f.claim(claimed, 1)
		f.unsent()
		f.Age(f, resend+time.Minute)
		fresh := f.create()
		f.Age(f, task.SendTime+time.Second)
		f.unsent(lost, fresh)
		f.unsent() // held
		f.Age(f, 2*time.Hour)
		f.unsent(lost, fresh)
	},
	"unsent takes both kinds within the limit": func(f *fixture) {
		lost := f.create()
		f.ok(f.store.MarkEnqueued(f.ctx, lost))
		f.Age(f, resend+time.Minute)
		fresh := f.create()
		f.Age(f, task.SendTime+time.Second)
		seen := map[uuid.UUID]bool{}
		for range 2 {
			ids, err := f.store.Unsent(f.ctx, 1, time.Hour, resend)
			f.ok(err)
			if len(ids) != 1 || seen[ids[0]] {
				f.Fatalf("unsent are %v; want one that was not named yet", ids)
			}
			seen[ids[0]] = true
		}
		f.unsent()
		if !seen[lost] || !seen[fresh] {
			f.Errorf("unsent named %v; want %s and %s", seen, lost, fresh)
		}
	},
	"unsent names a task to one sweeper": func(f *fixture) {
		const n = 60
		f.many(n)
		f.Age(f, task.SendTime+time.Second)
		stores := []task.Store{f.store, f.Open(f), f.Open(f), f.Open(f)}
		for range 10 {
			var mu sync.Mutex
			named := map[uuid.UUID]int{}
			var all sync.WaitGroup
			for _, store := range stores {
				all.Go(func() {
					ids, err := store.Unsent(f.ctx, enough, time.Hour, resend)
					if err != nil {
						f.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, id := range ids {
						if named[id]++; named[id] > 1 {
							f.Errorf("task %s was named %d times; want once", id, named[id])
						}
					}
				})
			}
			if all.Wait(); len(named) != n || f.Failed() {
				f.Fatalf("%d tasks were named; want %d", len(named), n)
			}
			f.Age(f, 2*time.Hour) // the hold ends
		}
	},
	"mark unknown": func(f *fixture) { f.ok(f.store.MarkEnqueued(f.ctx, newID(f))) },
	"mark leaves a running task": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.MarkEnqueued(f.ctx, id)) // the message was faster than this note
		f.ok(f.store.Release(f.ctx, id, attempt))
		f.unsent(id)
	},
	"purge": func(f *fixture) {
		ids := f.many(5)
		for _, id := range ids[:4] {
			f.claim(id, 1)
		}
		f.ok(f.store.Complete(f.ctx, ids[0], 1, text("result")))
		f.ok(f.store.Fail(f.ctx, ids[1], 1, "reason"))
		f.ok(f.store.Complete(f.ctx, ids[2], 1, text("result")))
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
			f.ok(f.store.Complete(f.ctx, id, 1, text("")))
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
