package lambda

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// maxEvent is the size of the largest asynchronous event, in bytes: 1 MB since October 2025, see
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const maxEvent = 1 << 20

// maxEvents is the number of asynchronous events that may wait or run. AWS does not have this limit.
const maxEvents = 1000

// async runs asynchronous events, see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
// After an error of the function, it makes two more attempts, one and two minutes later. It retries a throttled event for
// up to six hours; the retries back off from one second to five minutes.
type async struct {
	service *Service
	// retries has the delays before further attempts after an error; throttled is the first delay after a throttle.
	retries   []time.Duration
	throttled time.Duration

	ctx    context.Context // ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex // guards the rest
	events  map[*event]struct{}
	stopped bool
	running sync.WaitGroup // attempts
}

// event is one asynchronous event. While it waits, it costs a timer and no goroutine.
type event struct {
	function *function
	in       spec.Input
	failures int
	backoff  time.Duration
	until    time.Time // a throttled event is dropped then
	timer    *time.Timer
}

func newAsync(s *Service) *async {
	a := &async{service: s, retries: []time.Duration{time.Minute, 2 * time.Minute}, throttled: time.Second,
		events: map[*event]struct{}{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// add accepts an event and starts its first attempt.
func (a *async) add(f *function, in spec.Input) error {
	e := &event{function: f, in: in, backoff: a.throttled, until: time.Now().Add(6 * time.Hour)}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopped:
		return ErrClosed
	case len(a.events) >= maxEvents:
		return &TooManyRequestsError{Function: f.Name, Reason: reasonQueue}
	}
	a.events[e] = struct{}{}
	a.attemptIn(e, 0)
	return nil
}

// attemptIn schedules the next attempt. The caller holds mu.
func (a *async) attemptIn(e *event, d time.Duration) {
	e.timer = time.AfterFunc(d, func() {
		a.mu.Lock()
		if a.stopped {
			a.mu.Unlock()
			return
		}
		a.running.Add(1)
		a.mu.Unlock()
		defer a.running.Done()
		a.attempt(e)
	})
}

func (a *async) attempt(e *event) {
	out, err := a.service.Invoke(a.ctx, e.function.Name, e.in)
	var full *TooManyRequestsError
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopped:
	case errors.As(err, &full) && time.Now().Before(e.until):
		a.attemptIn(e, e.backoff)
		e.backoff = min(2*e.backoff, 5*time.Minute)
	case err == nil && out.FunctionError != "" && e.failures < len(a.retries):
		a.attemptIn(e, a.retries[e.failures])
		e.failures++
	default:
		delete(a.events, e) // it succeeded or is dropped
	}
}

// stop drops waiting events and lets running attempts end.
func (a *async) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	for e := range a.events {
		e.timer.Stop()
	}
	a.cancel()
}

// wait waits for the attempts that stop left running.
func (a *async) wait() { a.running.Wait() }
