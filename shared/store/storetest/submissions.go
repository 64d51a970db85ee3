package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var submissions = map[string]func(*fixture){
	"create and get": func(f *fixture) {
		id := NewID(f)
		made, created, err := f.store.Create(f.ctx, id, task.Submission{}, task.Key{})
		f.ok(err)
		if !created || made.ID != id || made.Status != task.Pending || made.Attempt != 0 || made.Duration != 0 {
			f.Fatalf("created %t, %+v; want a new pending task %s", created, made, id)
		}
		if age := time.Since(made.CreatedAt); age < -time.Minute || age > time.Minute || made.CreatedAt.Location() != time.UTC {
			f.Errorf("created at %s; want now, in UTC", made.CreatedAt)
		}
		got := f.want(id, task.Pending, "", "", 0)
		if !got.CreatedAt.Equal(made.CreatedAt) || got.CreatedAt.Location() != time.UTC || got.Duration != 0 {
			f.Errorf("Get returns %+v; want it as Create did, %+v", got, made)
		}
		other, err := f.Open(f).Get(f.ctx, id)
		f.ok(err)
		if !reflect.DeepEqual(other, got) {
			f.Errorf("another store returns %+v; want %+v", other, got)
		}
	},
	"created_at has sub-second digits": func(f *fixture) {
		for range 5 { // one in 1,000 is a whole millisecond by chance
			if t := f.get(f.create()); t.CreatedAt.Nanosecond()%int(time.Millisecond) != 0 {
				return
			}
		}
		f.Error("created_at is always a whole millisecond; want microseconds")
	},
	"get unknown":    func(f *fixture) { _, err := f.store.Get(f.ctx, NewID(f)); f.is(err, task.ErrNotFound) },
	"cancel unknown": func(f *fixture) { f.is(f.store.Cancel(f.ctx, NewID(f)), task.ErrNotFound) },
	"cancel pending": func(f *fixture) {
		id := f.create()
		f.ok(f.store.Cancel(f.ctx, id))
		_, err := f.store.Get(f.ctx, id)
		f.is(err, task.ErrNotFound)
		f.is(f.store.Cancel(f.ctx, id), task.ErrNotFound)
		f.nothing(rules)
	},
	"cancel running": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Cancel(f.ctx, id))
		f.is(f.store.Heartbeat(f.ctx, id, attempt, lease, nil), task.ErrLeaseLost)
		f.is(f.store.Complete(f.ctx, id, attempt, text("late"), nil), task.ErrLeaseLost)
		f.is(f.store.Fail(f.ctx, id, attempt, "late", nil), task.ErrLeaseLost)
		f.noRetry(id, attempt)
		f.is(f.store.Release(f.ctx, id, attempt, 0), task.ErrLeaseLost)
		f.Age(f, 2*lease)
		f.rescue(became{})
	},
	"cancel ended": func(f *fixture) {
		done, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, done, attempt, text("result"), nil))
		failed, attempt := f.running()
		f.ok(f.store.Fail(f.ctx, failed, attempt, "reason", nil))
		for _, id := range []uuid.UUID{done, failed} {
			f.ok(f.store.Cancel(f.ctx, id))
			f.is(f.store.Cancel(f.ctx, id), task.ErrNotFound)
			_, err := f.store.Get(f.ctx, id)
			f.is(err, task.ErrNotFound)
		}
	},
	"one of many cancels wins": func(f *fixture) {
		id, won := f.create(), atomic.Int32{}
		var all sync.WaitGroup
		for _, store := range []task.Store{f.store, f.Open(f)} {
			for range 4 {
				all.Go(func() {
					switch err := store.Cancel(f.ctx, id); {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, task.ErrNotFound):
						f.Error(err)
					}
				})
			}
		}
		all.Wait()
		if won.Load() != 1 {
			f.Errorf("%d cancels succeeded; want 1", won.Load())
		}
	},
	"a caller that gives up is not an unreachable store": func(f *fixture) {
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		_, err := f.store.Get(ctx, NewID(f))
		f.is(err, context.Canceled)
		if errors.Is(err, task.ErrUnavailable) {
			f.Errorf("error is %v; want no ErrUnavailable", err)
		}
	},
}
