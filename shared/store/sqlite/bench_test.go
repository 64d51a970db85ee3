package sqlite

import (
	"fmt"
	"testing"

	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
)

func BenchmarkCreate(b *testing.B) {
	s := open(b, fresh(b))
	for b.Loop() {
		create(b, s)
	}
}

// BenchmarkCreateParallel is what a function's many environments do: each has the file open for itself.
func BenchmarkCreateParallel(b *testing.B) {
	d := fresh(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		s, err := Open(b.Context(), string(d))
		if err != nil {
			b.Error(err)
			return
		}
		defer s.Close()
		for pb.Next() {
			if _, _, err := s.Create(b.Context(), newID(b), task.Submission{}, task.Key{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkClaimFinish is what a store does for each task that a worker runs.
func BenchmarkClaimFinish(b *testing.B) {
	storetest.ClaimFinish(b, func(t testing.TB) storetest.Database { return fresh(t) }, func(db storetest.Database, n, keys int) {
		backlog(b, db.(database), n, fmt.Sprintf("'key-' || n %% %d", keys))
	})
}
