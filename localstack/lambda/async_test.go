package lambda

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// impatient makes the retries of a rig quick.
func impatient(r *rig) *rig {
	r.async.retries = []time.Duration{time.Millisecond, time.Millisecond}
	r.async.throttled = time.Millisecond
	return r
}

func (a *async) pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.events)
}

func TestEventsAreTriedThreeTimes(t *testing.T) {
	t.Parallel()
	r := impatient(setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f"}}))
	c := client(t, r)
	for event, attempts := range map[deed]int{{Do: "error", Text: "again"}: 3, {Do: "say", Text: "once"}: 1} {
		out, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"),
			InvocationType: types.InvocationTypeEvent, Payload: encode(t, event)})
		if err != nil || out.StatusCode != 202 || len(out.Payload) != 0 {
			t.Fatal(out, err)
		}
		until(t, "the event is done with", func() bool { return r.async.pending() == 0 })
		r.lines.await(t, event.Text, attempts)
	}
	r.lines.await(t, "END ", 4)
	ends := 0
	for _, line := range r.lines.list() {
		if len(line) > 4 && line[:4] == "END " {
			ends++
		}
	}
	if ends != 4 {
		t.Errorf("%d attempts, want 3 and 1", ends)
	}
}

func TestThrottledEventsWait(t *testing.T) {
	t.Parallel()
	r := impatient(setup(t, Options{}, built{binary("behave"), spec.Function{Name: "f", Timeout: time.Minute, ReservedConcurrency: pointer(1)}}))
	g := newGate(t)
	ended := g.call(t, r, "f")
	f, err := r.function("f")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := r.async.add(f, spec.Input{Payload: encode(t, deed{Do: "say", Text: "at last\n"})}); err != nil {
			t.Fatal(err)
		}
	}
	close(g.open)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r.lines.await(t, "at last", 3)
}

func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	r := setup(t, Options{}, built{binary("echo"), spec.Function{Name: "never", ReservedConcurrency: pointer(0)}})
	f, err := r.function("never")
	if err != nil {
		t.Fatal(err)
	}
	for range maxEvents {
		if err := r.async.add(f, spec.Input{}); err != nil {
			t.Fatal(err)
		}
	}
	var full *TooManyRequestsError
	if err := r.async.add(f, spec.Input{}); !errors.As(err, &full) || full.Reason != reasonQueue {
		t.Errorf("one more: %v", err)
	}
	if err := r.Close(t.Context()); err != nil { // with all of them waiting
		t.Fatal(err)
	}
	if err := r.async.add(f, spec.Input{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}
