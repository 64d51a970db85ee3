package storetest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

var lists = map[string]func(*fixture){
	"empty": func(f *fixture) {
		f.page(task.Page{})
		f.page(task.Page{Limit: 1, Before: NewID(f), Status: task.Failed})
	},
	"newest first, in pages": func(f *fixture) {
		ids := f.many(7)
		f.page(task.Page{}, ids...)
		f.page(task.Page{Limit: 3}, ids[:3]...)
		f.page(task.Page{Limit: 3, Before: ids[2]}, ids[3:6]...)
		f.page(task.Page{Limit: 3, Before: ids[5]}, ids[6:]...)
		f.page(task.Page{Limit: 3, Before: ids[6]})
		f.create() // a newer task moves no page
		f.page(task.Page{Limit: 3, Before: ids[2]}, ids[3:6]...)
	},
	"without cancelled tasks": func(f *fixture) {
		ids := f.many(4)
		f.ok(f.store.Cancel(f.ctx, ids[1]))
		f.page(task.Page{}, ids[0], ids[2], ids[3])
		f.page(task.Page{Limit: 1, Before: ids[1]}, ids[2]) // a cursor need not exist
		f.page(task.Page{Status: task.Pending}, ids[0], ids[2], ids[3])
		f.page(task.Page{Status: task.Cancelled})
	},
	"by status": func(f *fixture) {
		ids := f.many(6)
		for _, id := range ids[:4] {
			f.claim(id, 1)
		}
		f.ok(f.store.Complete(f.ctx, ids[0], 1, text("zero"), nil))
		f.ok(f.store.Complete(f.ctx, ids[1], 1, text("one"), nil))
		f.ok(f.store.Fail(f.ctx, ids[2], 1, "two", nil))
		for status, want := range map[task.Status][]uuid.UUID{
			task.Completed: ids[:2], task.Failed: ids[2:3], task.Running: ids[3:4], task.Pending: ids[4:], "": ids,
		} {
			f.page(task.Page{Status: status}, want...)
		}
		f.page(task.Page{Status: task.Completed, Limit: 1}, ids[0])
		f.page(task.Page{Status: task.Completed, Limit: 1, Before: ids[0]}, ids[1])
	},
	"without long results": func(f *fixture) {
		short, long := text(strings.Repeat("x", task.MaxListedResult-2)), text(strings.Repeat("x", task.MaxListedResult-1))
		for _, result := range []json.RawMessage{short, long} {
			id, attempt := f.running()
			f.ok(f.store.Complete(f.ctx, id, attempt, result, nil))
			list, err := f.store.List(f.ctx, task.Page{Limit: 1})
			f.ok(err)
			if len(list) != 1 || list[0].ID != id || (list[0].Result == nil) != (len(result) > task.MaxListedResult) ||
				list[0].Result == nil && list[0].ResultSize != len(result) || list[0].Result != nil && list[0].ResultSize != 0 {
				f.Errorf("a result of %d bytes is listed as %d bytes, size %d", len(result), len(list[0].Result), list[0].ResultSize)
			}
			if got := f.get(id); len(got.Result) != len(result) || got.ResultSize != 0 {
				f.Errorf("a result of %d bytes has %d bytes, size %d", len(result), len(got.Result), got.ResultSize)
			}
		}
	},
	"shows tasks as Get does": func(f *fixture) {
		id, attempt := f.running()
		f.ok(f.store.Complete(f.ctx, id, attempt, text("result"), nil))
		list, err := f.store.List(f.ctx, task.Page{})
		f.ok(err)
		want := f.get(id)
		want.Attempts = nil // which a list does not have
		if len(list) != 1 || !reflect.DeepEqual(list[0], want) {
			f.Errorf("List = %+v; want %+v", list, want)
		}
	},
	"limits": func(f *fixture) {
		ids := f.many(task.MaxPageLimit + 2)
		f.page(task.Page{}, ids[:task.DefaultPageLimit]...)
		f.page(task.Page{Limit: task.MaxPageLimit + 1}, ids[:task.MaxPageLimit+1]...)
	},
}

// many submits n tasks and returns them newest first.
func (f *fixture) many(n int) []uuid.UUID {
	f.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = f.create()
	}
	slices.Reverse(ids)
	return ids
}

func (f *fixture) page(page task.Page, want ...uuid.UUID) {
	f.Helper()
	list, err := f.store.List(f.ctx, page)
	f.ok(err)
	got := make([]uuid.UUID, len(list))
	for i, t := range list {
		got[i] = t.ID
	}
	same(f, "tasks of the page", got, want)
}
