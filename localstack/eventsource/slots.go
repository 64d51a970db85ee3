package eventsource

import (
	"context"
	"sync"
	"time"
)

// The scaling of a mapping without MaximumConcurrency. Lambda adds up to 300 invocations a minute; that is 5 a second.
// See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
const (
	firstSlots = 5
	mostSlots  = 50
	growEvery  = 200 * time.Millisecond
)

// slots limits concurrent invocations. The poller acquires a slot before it receives a message; the end of the
// invocation releases it.
type slots struct {
	free    chan struct{}
	elastic bool
	running sync.WaitGroup

	mu    sync.Mutex
	count int // slots that exist, free or not
}

func newSlots(maximum int) *slots {
	s := &slots{elastic: maximum <= 0, count: maximum}
	most := maximum
	if s.elastic {
		s.count, most = firstSlots, mostSlots
	}
	s.free = make(chan struct{}, most)
	for range s.count {
		s.free <- struct{}{}
	}
	return s
}

// acquire waits for a slot. Elastic slots grow while it waits. It reports false if ctx ended first.
func (s *slots) acquire(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-s.free:
		return true
	default:
	}
	var more <-chan time.Time
	if s.elastic {
		timer := time.NewTicker(growEvery)
		defer timer.Stop()
		more = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-s.free:
			return true
		case <-more:
			if s.grow() {
				return true
			}
		}
	}
}

func (s *slots) grow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= mostSlots {
		return false
	}
	s.count++
	return true
}

func (s *slots) release() { s.free <- struct{}{} }

// run runs f on an acquired slot.
func (s *slots) run(f func() (throttled bool)) {
	s.running.Go(func() {
		if throttled := f(); throttled && s.shrink() {
			return
		}
		s.release()
	})
}

// shrink removes a slot, unless it is the last one. It reports whether it did.
func (s *slots) shrink() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.elastic || s.count <= 1 {
		return false
	}
	s.count--
	return true
}

// wait waits for all runs.
func (s *slots) wait() { s.running.Wait() }
