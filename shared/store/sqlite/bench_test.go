package sqlite

import (
	"testing"

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
	s := open(b, fresh(b))
	for b.Loop() {
		b.StopTimer()
		create(b, s)
		b.StartTimer()
		t, err := s.Claim(b.Context(), hour)
		if err == nil {
			err = s.Complete(b.Context(), t.ID, t.Attempt, []byte(`"io work result = 0"`))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
