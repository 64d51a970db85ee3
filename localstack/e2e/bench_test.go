package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkPostTask measures the rate of POST /task through the whole stack: gateway, API function, a durable row in
// the storage, a message in the queue. Meanwhile, jobs of minutes fill all slots.
func BenchmarkPostTask(b *testing.B) {
	for _, c := range []struct {
		storage string
		clients int
	}{{"postgres", 1}, {"postgres", 16}, {"internal", 1}, {"internal", 16}} {
		clients := c.clients
		b.Run(fmt.Sprintf("storage=%s/clients=%d", c.storage, clients), func(b *testing.B) {
			s := start(b, b.TempDir(), "", "--storage", c.storage)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
			defer client.CloseIdleConnections()
			post := func(rounds int) {
				var left atomic.Int64
				left.Store(int64(rounds))
				var all sync.WaitGroup
				for range clients {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							if err := created(client.Post(s.api+"/task", "", http.NoBody)); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
			}
			post(20 * clients) // starts the environments and fills the slots
			b.ResetTimer()
			post(b.N)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
			b.ReportMetric(s.memory(), "stack-MiB")
		})
	}
}

// BenchmarkStartOfTask measures the time from the POST of a task until its status is "in process", with a free slot.
func BenchmarkStartOfTask(b *testing.B) {
	s := start(b, b.TempDir(), "JobMinDuration=50ms JobMaxDuration=60ms JobFailureRate=0")
	round := func() time.Duration {
		before := time.Now()
		id := s.submit()
		for s.status(id) == "created, but waiting to start" {
		}
		return time.Since(before)
	}
	for range 20 {
		round()
	}
	var took []time.Duration
	for b.Loop() {
		took = append(took, round())
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
}

// BenchmarkStartOfStack measures the time from the start of the process to the first 201, with built functions and an
// existing database.
func BenchmarkStartOfStack(b *testing.B) {
	data := b.TempDir()
	if err := start(b, data, "").stop(); err != nil {
		b.Fatal(err)
	}
	var total time.Duration
	var memory float64
	for b.Loop() {
		before := time.Now()
		s := start(b, data, "")
		s.submit()
		total += time.Since(before)
		b.StopTimer()
		memory = max(memory, s.memory())
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(total.Seconds()/float64(b.N), "s-to-201")
	b.ReportMetric(memory, "stack-MiB")
}

// created returns an error unless an answer is a 201.
func created(w *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST /task: %d %s %w", w.StatusCode, body, err)
	}
	return nil
}

// memory returns the resident memory of the local stack itself in MiB, without the functions and Postgres.
func (s *running) memory() float64 { return float64(residentKiB(s.t, s.cmd.Process.Pid)) / 1024 }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
