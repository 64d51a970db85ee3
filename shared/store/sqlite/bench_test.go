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
		storetest.Create(b, s)
	}
}

// BenchmarkCreateParallel is what a function's many environments do: each has the file open for itself.
func BenchmarkCreateParallel(b *testing.B) {
	d := fresh(b)
	storetest.CreateParallel(b, func() (task.Store, error) { return Open(b.Context(), string(d)) })
}

// BenchmarkClaimFinish is what a store does for each task that a worker runs.
func BenchmarkClaimFinish(b *testing.B) {
	storetest.ClaimFinish(b, func(t testing.TB) storetest.Database { return fresh(t) }, func(db storetest.Database, n, keys int) {
		backlog(b, db.(database), n, fmt.Sprintf("'key-' || n %% %d", keys))
	})
}
