package sqs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/sqs"
)

// Every message reaches exactly one of several receivers that wait, with some given back on the way.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	const senders, each, receivers = 8, 250, 8
	q := queue(t, open(t, t.TempDir(), work()), "work")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var mu sync.Mutex
	done := map[string]int{}
	var all sync.WaitGroup
	for range receivers {
		all.Go(func() {
			for ctx.Err() == nil {
				messages, err := q.Receive(ctx, 7, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				for i, m := range messages {
					if i%5 == 4 && m.SystemAttributes["ApproximateReceiveCount"] == "1" {
						if err := q.ChangeVisibility(m.ReceiptHandle, 0); err != nil {
							t.Error(err)
						}
						continue
					}
					if err := q.Delete(m.ReceiptHandle); err != nil {
						t.Error(err)
					}
					mu.Lock()
					done[m.Body]++
					if len(done) == senders*each {
						cancel()
					}
					mu.Unlock()
				}
			}
		})
	}
	for s := range senders {
		all.Go(func() {
			for i := range each {
				if _, err := q.Send(t.Context(), sqs.Outgoing{Body: fmt.Sprint(s, "/", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for body, times := range done {
		if times != 1 {
			t.Errorf("message %s was done %d times", body, times)
		}
	}
	wantCounts(t, q, 0, 0, 0)
}
