package storetest

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var keys = map[string]func(*fixture){
	"same request": func(f *fixture) {
		first := f.keyed(true, "k", "body")
		again := f.keyed(false, "k", "body")
		if again.ID != first.ID || !again.CreatedAt.Equal(first.CreatedAt) {
			f.Errorf("the repetition returns %+v; want %+v", again, first)
		}
		f.page(task.Page{}, first.ID)
		if got := f.get(first.ID); !got.CreatedAt.Equal(first.CreatedAt) {
			f.Errorf("Get returns %+v; want it as Create did, %+v", got, first)
		}
	},
	"empty request": func(f *fixture) {
		first := f.keyed(true, "k", "")
		if again := f.keyed(false, "k", ""); again.ID != first.ID {
			f.Errorf("the repetition returns %s; want %s", again.ID, first.ID)
		}
	},
	"another request": func(f *fixture) {
		first := f.keyed(true, "k", "body")
		_, created, err := f.store.Create(f.ctx, NewID(f), task.Submission{}, task.Key{Name: "k", Request: []byte("other")})
		f.is(err, task.ErrKeyReused)
		if created {
			f.Error("created a task for a key that was used with another request")
		}
		f.page(task.Page{}, first.ID)
		f.keyed(false, "k", "body")
	},
	"another key": func(f *fixture) {
		first, second := f.keyed(true, "k", "body"), f.keyed(true, "K", "body")
		f.page(task.Page{}, second.ID, first.ID)
	},
	"whatever became of the task": func(f *fixture) {
		first := f.keyed(true, "k", "body")
		attempt := f.claim(first.ID, 1)
		f.ok(f.store.Complete(f.ctx, first.ID, attempt, text("result"), nil))
		f.keyed(false, "k", "body")
		f.ok(f.store.Cancel(f.ctx, first.ID))
		f.keyed(false, "k", "body")
		f.Age(f, time.Hour)
		_, err := f.store.Purge(f.ctx, enough, task.Retention{Ended: time.Minute, Cancelled: time.Minute})
		f.ok(err)
		if again := f.keyed(false, "k", "body"); again.ID != first.ID {
			f.Errorf("the repetition returns %s; want %s", again.ID, first.ID)
		}
	},
	"forgotten after KeyLifetime": func(f *fixture) {
		first := f.keyed(true, "k", "body")
		f.Age(f, task.KeyLifetime-time.Hour)
		f.keyed(false, "k", "body")
		f.Age(f, 2*time.Hour)
		second := f.keyed(true, "k", "other")
		f.page(task.Page{}, second.ID, first.ID)
		f.keyed(false, "k", "other")
	},
	"two at once": func(f *fixture) {
		stores := []task.Store{f.store, f.Open(f)}
		for round := range 10 {
			var mu sync.Mutex
			ids, created := map[uuid.UUID]bool{}, 0
			var all sync.WaitGroup
			for i := range 8 {
				id := NewID(f)
				all.Go(func() {
					t, isNew, err := stores[i%2].Create(f.ctx, id, task.Submission{}, task.Key{Name: "k", Request: []byte{byte(round)}})
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						f.Error(err)
					}
					if isNew {
						created++
					}
					ids[t.ID] = true
				})
			}
			if all.Wait(); created != 1 || len(ids) != 1 {
				f.Fatalf("%d created, ids %v; want one task", created, ids)
			}
			f.Age(f, task.KeyLifetime+time.Minute) // the next round takes the key again
		}
	},
}

// keyed submits a task with a key and checks whether that created one.
func (f *fixture) keyed(want bool, name, request string) task.Task {
	f.Helper()
	id := NewID(f)
	t, created, err := f.store.Create(f.ctx, id, task.Submission{}, task.Key{Name: name, Request: []byte(request)})
	f.ok(err)
	if created != want || (t.ID == id) != want {
		f.Fatalf("Create(%s) with key %q = %+v, created %t; want created %t", id, name, t, created, want)
	}
	return t
}
