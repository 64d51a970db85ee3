package stack

import (
	"context"
	"errors"
	"sync"
	"time"
)

// grace is how long requests and functions have to end at a stop, before they are killed.
const grace = 5 * time.Second

// life is what runs and how it ends.
type life struct {
	// begun says that parts are started whose end takes a moment, of which the user is told.
	begun bool

	stops  []func(context.Context) error // in the order of the starts
	failed chan error                    // errors of parts that ended by themselves
}

func newLife() *life { return &life{failed: make(chan error, 1)} }

// onStop adds what ends a part that was just started.
func (l *life) onStop(f func(context.Context) error) { l.stops = append(l.stops, f) }

// fail ends the stack with an error; only the first counts.
func (l *life) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// wait waits until ctx ends, or a part ends by itself, whose error it returns.
func (l *life) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

// stop ends the parts in the reverse order of their start.
func (l *life) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 6*grace)
	defer cancel()
	var errs []error
	for i := len(l.stops) - 1; i >= 0; i-- {
		errs = append(errs, l.stops[i](ctx))
	}
	l.stops = nil
	return errors.Join(errs...)
}

// background runs f until the stack stops, and waits for its end.
func (l *life) background(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	l.onStop(func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
}
