package eventsource_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

func TestConcurrencyIsAlwaysUsedAndNeverExceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, 10_000)
		f := &function{do: work(10 * time.Second)}
		stop := start(t, spec.Mapping{BatchSize: 1, MaximumConcurrency: 16}, q, f)
		for range 5 {
			if now := f.running(); now != 16 {
				t.Errorf("%d run at once", now)
			}
			<-time.After(10 * time.Second)
		}
		wantCounts(t, q, 10_000-16*6, 16) // the others wait in the queue and cost no receive
		if f.most != 16 {
			t.Errorf("%d ran at once", f.most)
		}
		stop()
		if f.running() != 0 {
			t.Error("an invocation outlives Run")
		}
	})
}

func TestNewMessageStartsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		f := &function{do: work(time.Hour)}
		start(t, spec.Mapping{BatchSize: 1, MaximumConcurrency: 2}, q, f)
		<-time.After(12345 * time.Millisecond)
		for want := range 2 {
			send(t, q, 1)
			if now := f.running(); now != want+1 {
				t.Errorf("%d run after %d messages", now, want+1)
			}
		}
	})
}

func TestSuccessDeletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, 25)
		f := &function{do: work(time.Second)}
		start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
		<-time.After(2 * time.Second)
		wantCounts(t, q, 0, 0)
		if f.count() != 3 { // of 10, 10 and 5
			t.Errorf("%d invocations", f.calls)
		}
	})
}

func TestFailureLeavesUntilVisibilityEnds(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context, []byte, string) (string, string, error){
		"function error": func(context.Context, []byte, string) (string, string, error) {
			return `{"errorMessage":"no"}`, "Unhandled", nil
		},
		"invocation error": func(context.Context, []byte, string) (string, string, error) {
			return "", "", errors.New("no such function")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, dead := newQueue(t)
				send(t, q, 1)
				f := &function{do: fail}
				start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
				for try := 1; try <= 3; try++ {
					if f.count() != try {
						t.Errorf("%d invocations, want %d", f.calls, try)
					}
					wantCounts(t, q, 0, 1)
					<-time.After(time.Minute)
				}
				wantCounts(t, q, 0, 0)
				wantCounts(t, dead, 1, 0)
			})
		})
	}
}

func TestBatchItemFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		response string // $0 and $1 are the ids of messages
		left     int
	}{
		{"", 0}, {"null", 0}, {"{}", 0}, {`{"batchItemFailures":null}`, 0}, {`{"batchItemFailures":[]}`, 0},
		{`{"batchItemFailures":[{"itemIdentifier":"$1"}]}`, 1},
		{`{"batchItemFailures":[{"itemIdentifier":"$0"},{"itemIdentifier":"$1"},{"itemIdentifier":"$1"}]}`, 2},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, 3},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, 3},
		{`{"batchItemFailures":[{"messageId":"$0"}]}`, 3},
		{`{"batchItemFailures":[{"itemIdentifier":"$0"},{"itemIdentifier":"unknown"}]}`, 3},
		{`{"batchItemFailures":[null]}`, 3},
		{`{"batchItemFailures":"$0"}`, 3},
		{`"done"`, 3},
		{`done`, 3},
	} {
		t.Run(test.response, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, _ := newQueue(t)
				ids := send(t, q, 3)
				response := strings.NewReplacer("$0", ids[0], "$1", ids[1]).Replace(test.response)
				f := &function{do: func(context.Context, []byte, string) (string, string, error) { return response, "", nil }}
				start(t, spec.Mapping{MaximumConcurrency: 2, ReportBatchItemFailures: true}, q, f)
				wantCounts(t, q, 0, test.left)
			})
		})
	}
}

func TestAnswerIsIgnoredUnlessReporting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, 3)
		f := &function{do: func(context.Context, []byte, string) (string, string, error) { return "not JSON", "", nil }}
		start(t, spec.Mapping{MaximumConcurrency: 2}, q, f)
		wantCounts(t, q, 0, 0)
	})
}

func TestElasticConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, 1000)
		f := &function{do: work(time.Hour)}
		start(t, spec.Mapping{BatchSize: 1}, q, f)
		for _, want := range []int{5, 10, 15} {
			if now := f.running(); now != want {
				t.Errorf("%d run, want %d", now, want)
			}
			<-time.After(time.Second)
		}
		<-time.After(30 * time.Second)
		if now := f.running(); now != 50 {
			t.Errorf("%d run in the end", now)
		}
	})
}

func TestBatchingWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		f := &function{do: work(time.Hour)}
		start(t, spec.Mapping{BatchSize: 3, BatchingWindow: 10 * time.Second, MaximumConcurrency: 5}, q, f)
		send(t, q, 1)
		<-time.After(9 * time.Second)
		send(t, q, 1)
		if f.running() != 0 {
			t.Error("the window is not waited for")
		}
		<-time.After(time.Second)
		if sizes := f.sizes(t); !slices.Equal(sizes, []int{2}) {
			t.Errorf("batches have %v", sizes)
		}
		send(t, q, 3)
		if sizes := f.sizes(t); !slices.Equal(sizes, []int{2, 3}) {
			t.Errorf("batches have %v", sizes)
		}
	})
}

// sizes returns the number of messages of each invocation.
func (f *function) sizes(t *testing.T) (sizes []int) {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.payloads {
		var e struct{ Records []struct{} }
		must(t, json.Unmarshal([]byte(p), &e))
		sizes = append(sizes, len(e.Records))
	}
	return sizes
}

func TestLargeMessagesMakeSmallBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		for range 8 {
			_, err := q.Send(t.Context(), sqs.Outgoing{Body: strings.Repeat("x", sqs.MaxMessageSize)})
			must(t, err)
		}
		f := &function{do: work(time.Second)}
		stop := start(t, spec.Mapping{MaximumConcurrency: 1}, q, f)
		if sizes := f.sizes(t); !slices.Equal(sizes, []int{5}) {
			t.Fatalf("batches have %v", sizes)
		}
		<-time.After(500 * time.Millisecond)
		stop()
		wantCounts(t, q, 3, 5) // messages that no function has seen are visible again
		if f.count() != 1 {
			t.Errorf("%d invocations", f.calls)
		}
	})
}

func TestQueueFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, err := sqs.New(sqs.Options{})
		must(t, err)
		must(t, service.Create(spec.Queue{Name: "work"}))
		q, _ := service.Queue("work")
		counting := &failing{Queue: q}
		start(t, spec.Mapping{MaximumConcurrency: 2}, counting, &function{do: work(0)})
		must(t, service.Close())
		<-time.After(10 * time.Second)
		synctest.Wait()
		if counting.receives > 12 {
			t.Errorf("a failing queue is asked %d times in 10 s", counting.receives)
		}
	})
}

// failing counts receives. Only the poller touches it while the test sleeps.
type failing struct {
	*sqs.Queue
	receives int
}

func (f *failing) Receive(ctx context.Context, max int, wait time.Duration) ([]sqs.Message, error) {
	f.receives++
	return f.Queue.Receive(ctx, max, wait)
}
