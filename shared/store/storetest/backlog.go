package storetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// Backlog checks that a key with many waiting tasks does not delay another key. fill adds n waiting tasks of a key
// without the store. STORETEST_BACKLOG=full makes it 100,000 tasks and 1,000 trials, which take minutes with the race
// detector.
func Backlog(t *testing.T, db Database, fill func(t testing.TB, n int, key string)) {
	waiting, trials := 10_000, 100
	if os.Getenv("STORETEST_BACKLOG") == "full" {
		waiting, trials = 100_000, 1_000
	}
	f := &fixture{T: t, Database: db, store: db.Open(t), ctx: t.Context()}
	fill(t, waiting, "a")
	random := rand.New(rand.NewPCG(seed(f), 0))
	var running []task.Task // of key a
	for trial := range trials {
		for len(running) == 0 || len(running) < 8 && random.IntN(2) == 0 {
			claimed, err := f.store.Claim(f.ctx, rules)
			f.ok(err)
			running = append(running, claimed)
		}
		id := f.submit(task.Submission{FairnessKey: "b", Priority: 1 + random.IntN(4)})
		next, err := f.store.Claim(f.ctx, rules)
		f.ok(err)
		if next.ID != id {
			f.Fatalf("trial %d: with %d tasks of key a running and %d waiting, a task of key %s started before the one of key b", trial, len(running), waiting, next.FairnessKey)
		}
		f.ok(f.store.Complete(f.ctx, id, 1, text(""), nil))
		for len(running) > 0 && random.IntN(2) == 0 {
			f.ok(f.store.Complete(f.ctx, running[0].ID, 1, text(""), nil))
			running = running[1:]
		}
	}
}

// ClaimFinish measures a store's work for each task, by the number of waiting keys and tasks. It completes tasks one
// after the other, and adds one for each.
func ClaimFinish(b *testing.B, fresh func(t testing.TB) Database, fill func(db Database, n, keys int)) {
	for _, c := range []struct{ waiting, keys int }{{0, 1}, {10_000, 1}, {10_000, 10_000}, {1_000_000, 1}, {1_000_000, 10_000}} {
		b.Run(fmt.Sprintf("waiting=%d/keys=%d", c.waiting, c.keys), func(b *testing.B) {
			db := fresh(b)
			fill(db, c.waiting, c.keys)
			s := db.Open(b)
			n := 0
			for b.Loop() {
				b.StopTimer()
				key := fmt.Sprint("key-", n%c.keys)
				n++
				if _, _, err := s.Create(b.Context(), NewID(b), task.Submission{FairnessKey: key}, task.Key{}); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				t, err := s.Claim(b.Context(), rules)
				if err == nil {
					err = s.Complete(b.Context(), t.ID, t.Attempt, []byte(`"io work result = 0"`), nil)
				}
				if err != nil || t.ID == uuid.Nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
