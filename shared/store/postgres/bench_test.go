package postgres

import (
	"fmt"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func BenchmarkCreate(b *testing.B) {
	s := open(b, testserver.Postgres(b))
	for b.Loop() {
		storetest.Create(b, s)
	}
}

// BenchmarkCreateParallel measures the many environments of a function: each has its own connections.
func BenchmarkCreateParallel(b *testing.B) {
	url := testserver.Postgres(b)
	storetest.CreateParallel(b, func() (task.Store, error) {
		return Open(b.Context(), config.Storage{DatabaseURL: config.Secret(url)})
	})
}

// BenchmarkClaimFinish measures a store's work for each task.
func BenchmarkClaimFinish(b *testing.B) {
	storetest.ClaimFinish(b, func(t testing.TB) storetest.Database { return address(testserver.Postgres(t)) },
		func(db storetest.Database, n, keys int) {
			backlog(b, string(db.(address)), n, fmt.Sprintf("'key-' || n %% %d", keys))
		})
}
