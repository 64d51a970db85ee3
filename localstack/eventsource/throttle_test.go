package eventsource_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestThrottledIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		begin := time.Now()
		f := &function{do: func(context.Context, []byte, string) (string, string, error) {
			if time.Since(begin) < 10*time.Second {
				return "", "", fmt.Errorf("invoke: %w", errThrottled)
			}
			return "", "", nil
		}}
		send(t, q, 1)
		start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
		<-time.After(20 * time.Second)
		wantCounts(t, q, 0, 0)
		if f.count() > 10 {
			t.Errorf("%d tries in 10 s", f.calls)
		}
	})
}

func TestThrottledForGoodGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, dead := newQueue(t)
		f := &function{do: func(context.Context, []byte, string) (string, string, error) { return "", "", errThrottled }}
		send(t, q, 1)
		start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
		<-time.After(time.Minute)
		wantCounts(t, q, 0, 1) // received again
		<-time.After(2 * time.Minute)
		wantCounts(t, q, 0, 0)
		wantCounts(t, dead, 1, 0) // each throttle cost a receive, as on Lambda
	})
}

func TestStopWhileThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		f := &function{do: func(context.Context, []byte, string) (string, string, error) { return "", "", errThrottled }}
		send(t, q, 3)
		stop := start(t, spec.Mapping{BatchSize: 1, MaximumConcurrency: 2}, q, f)
		wantCounts(t, q, 1, 2)
		stop()
		wantCounts(t, q, 3, 0)
	})
}
