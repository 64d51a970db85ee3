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

// maxEvents is how many asynchronous events may wait or run. AWS has no such bound; a laptop has.
const maxEvents = 1000

// async runs events whose senders do not wait, as
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html describes: after an error of the
// function there are two more attempts, one and two minutes later; a throttled event is tried again for up to six
// hours, after one second at first and then ever more rarely, up to every five minutes.
type async struct {
	service *Service
	// retries are the times before the further attempts after an error, and throttled the first one after a throttle.
	retries   []time.Duration
	throttled time.Duration

	ctx    context.Context // ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex // guards the rest
	events  map[*event]struct{}
	stopped bool
	running sync.WaitGroup // attempts
}

// event is one asynchronous event. While it waits it costs a timer and no goroutine.
type event struct {
	function *function
	in       spec.Input
	failures int
	backoff  time.Duration
	until    time.Time // when it is given up while throttled
	timer    *time.Timer
}

func newAsync(s *Service) *async {
	a := &async{service: s, retries: []time.Duration{time.Minute, 2 * time.Minute}, throttled: time.Second,
		events: map[*event]struct{}{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// add takes an event and starts its first attempt.
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
		delete(a.events, e) // it has succeeded or is given up
	}
}

// stop forgets what waits and leaves what runs.
func (a *async) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	for e := range a.events {
		e.timer.Stop()
	}
	a.cancel()
}

// wait waits for the attempts that ran when stop was called.
func (a *async) wait() { a.running.Wait() }
