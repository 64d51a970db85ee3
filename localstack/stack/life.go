package stack

import (
	"context"
	"errors"
	"sync"
	"time"
)

// grace is how long requests and functions may take to end at a stop. Then they are killed.
const grace = 5 * time.Second

// life is the list of running parts, and how they end.
type life struct {
	// begun is set once a part runs whose end takes a moment. The user then sees that the stack is stopping.
	begun bool

	stops  []func(context.Context) error // in the order of the starts
	failed chan error                    // errors of parts that ended by themselves
}

func newLife() *life { return &life{failed: make(chan error, 1)} }

// onStop adds the function that ends a started part.
func (l *life) onStop(f func(context.Context) error) { l.stops = append(l.stops, f) }

// fail ends the stack with an error; later errors are dropped.
func (l *life) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// wait waits until ctx ends, or until a part ends by itself. It returns that part's error.
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
