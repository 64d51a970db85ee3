package eventsource_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/eventsource"
	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const arn = "arn:aws:sqs:us-east-1:000000000000:work"

var errThrottled = fmt.Errorf("too many requests: %w", spec.ErrThrottled)

// function is a spec.Invoker whose answer a test decides. It counts the invocations, in all and at once.
type function struct {
	do func(ctx context.Context, payload []byte, traceID string) (response, functionError string, err error)

	mu                sync.Mutex
	calls, now, most  int
	payloads, tracing []string
}

func (f *function) Invoke(ctx context.Context, _ string, in spec.Input) (*spec.Output, error) {
	f.mu.Lock()
	f.calls++
	f.now++
	f.most = max(f.most, f.now)
	f.payloads, f.tracing = append(f.payloads, string(in.Payload)), append(f.tracing, in.TraceID)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.now--
	}()
	response, functionError, err := f.do(ctx, in.Payload, in.TraceID)
	if err != nil {
		return nil, err
	}
	return &spec.Output{Payload: []byte(response), FunctionError: functionError}, nil
}

// running returns how many invocations run once all goroutines are blocked.
func (f *function) running() int {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *function) count() int {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// work takes the time d, unless ctx ends.
func work(d time.Duration) func(context.Context, []byte, string) (string, string, error) {
	return func(ctx context.Context, _ []byte, _ string) (string, string, error) {
		select {
		case <-ctx.Done():
			return "", "", ctx.Err()
		case <-time.After(d):
			return "", "", nil
		}
	}
}

// newQueue returns a queue in memory that hides messages for a minute. After 3 receives, they go to dead.
func newQueue(t *testing.T) (q, dead *sqs.Queue) {
	t.Helper()
	service, err := sqs.New(sqs.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, service.Close()) })
	must(t, service.Create(spec.Queue{Name: "dead"}))
	must(t, service.Create(spec.Queue{Name: "work", VisibilityTimeout: time.Minute,
		Redrive: &spec.Redrive{DeadLetterARN: "arn:aws:sqs:us-east-1:000000000000:dead", MaxReceiveCount: 3}}))
	q, _ = service.Queue("work")
	dead, _ = service.Queue("dead")
	return q, dead
}

// start runs a mapping and returns a function that stops it and waits.
func start(t *testing.T, c spec.Mapping, q eventsource.Queue, f *function) (stop func()) {
	t.Helper()
	c.LogicalID, c.QueueARN, c.Function = "test", arn, "worker"
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { eventsource.New(c, q, f, t.Logf).Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func send(t *testing.T, q *sqs.Queue, count int) (ids []string) {
	t.Helper()
	for i := range count {
		sent, err := q.Send(t.Context(), sqs.Outgoing{Body: fmt.Sprint(i)})
		must(t, err)
		ids = append(ids, sent.ID)
	}
	return ids
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCounts(t *testing.T, q *sqs.Queue, visible, inFlight int) {
	t.Helper()
	synctest.Wait()
	if got, want := q.Counts(), (sqs.Counts{Visible: visible, InFlight: inFlight}); got != want {
		t.Errorf("queue %s has %+v, want %+v", q.Name(), got, want)
	}
}
