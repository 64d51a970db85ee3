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

// BenchmarkCreateParallel measures the many environments of a function: each opens the file itself.
func BenchmarkCreateParallel(b *testing.B) {
	d := fresh(b)
	storetest.CreateParallel(b, func() (task.Store, error) { return Open(b.Context(), string(d)) })
}

// BenchmarkClaimFinish measures a store's work for each task.
func BenchmarkClaimFinish(b *testing.B) {
	storetest.ClaimFinish(b, func(t testing.TB) storetest.Database { return fresh(t) }, func(db storetest.Database, n, keys int) {
		backlog(b, db.(database), n, fmt.Sprintf("'key-' || n %% %d", keys))
	})
}
