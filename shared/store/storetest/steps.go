package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/task"
)

// Hour is a claim without limits whose lease lasts an hour.
var Hour = task.ClaimRules{Lease: time.Hour}

// NewID returns the id of a new task. An error ends the test.
func NewID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Create writes a task with all defaults to a store and returns its id. An error ends the test.
func Create(t testing.TB, s task.Store) uuid.UUID {
	t.Helper()
	id := NewID(t)
	if _, _, err := s.Create(t.Context(), id, task.Submission{}, task.Key{}); err != nil {
		t.Fatal(err)
	}
	return id
}

// Claim claims the best task of a store for an hour. An error ends the test.
func Claim(t testing.TB, s task.Store) task.Task {
	t.Helper()
	claimed, err := s.Claim(t.Context(), Hour)
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// CreateParallel measures Create in many environments at once. open opens the store of one.
func CreateParallel(b *testing.B, open func() (task.Store, error)) {
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		s, err := open()
		if err != nil {
			b.Error(err)
			return
		}
		defer s.Close()
		for pb.Next() {
			if _, _, err := s.Create(b.Context(), NewID(b), task.Submission{}, task.Key{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
