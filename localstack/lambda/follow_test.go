package lambda

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// invocationEnd is the result of Invoke.
type invocationEnd struct {
	out *spec.Output
	err error
}

// invokeLater invokes the played function in the background; the channel gets the result.
func (r *rig) invokeLater(in spec.Input) <-chan invocationEnd {
	ended := make(chan invocationEnd, 1)
	go func() {
		out, err := r.Invoke(context.Background(), "f", in)
		ended <- invocationEnd{out, err}
	}()
	return ended
}

// answer takes an invocation as the runtime and answers it.
func (r runtime) answer(text string) {
	r.t.Helper()
	status, id, body := r.request("GET", nextPath, "")
	if status != 200 {
		r.t.Fatalf("next: %d %s", status, body)
	}
	if status, _, body := r.request("POST", "/2018-06-01/runtime/invocation/"+id+"/response", text); status != 202 {
		r.t.Fatalf("response: %d %s", status, body)
	}
}

// check fails the test unless the invocation ended with an answer.
func (r *rig) check(ended <-chan invocationEnd, want string) {
	r.t.Helper()
	if got := <-ended; got.err != nil || got.out.FunctionError != "" || string(got.out.Payload) != want {
		r.t.Fatalf("got %+v, want %s", got, want)
	}
}

// answerAndFollow lets a played environment answer one invocation, without asking for more, and invokes again.
func (r *rig) answerAndFollow(function runtime) (second <-chan invocationEnd) {
	r.t.Helper()
	first := make(chan (<-chan invocationEnd), 1)
	go func() { // once the first request for an invocation has ended the init
		r.awaitIdle(1)
		first <- r.invokeLater(spec.Input{})
	}()
	function.answer(`"first"`)
	r.check(<-first, `"first"`) // though the environment is not free yet
	second = r.invokeLater(spec.Input{})
	f, _ := r.function("f")
	until(r.t, "the second invocation has its place", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.answered) == 0
	})
	return second
}

// other waits for an environment other than the known one.
func (r *rig) other(known runtime) runtime {
	r.t.Helper()
	f, _ := r.function("f")
	var found runtime
	until(r.t, "another environment is started", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for e := range f.all {
			found = r.runtime(e)
			if found != known && e.started {
				return true
			}
		}
		return false
	})
	return found
}

func TestAnInvocationFollowsTheAnswerOfAnother(t *testing.T) {
	t.Parallel()
	r, function := play(t, time.Minute)
	second := r.answerAndFollow(function)
	var throttled *TooManyRequestsError
	if _, err := r.Invoke(t.Context(), "f", spec.Input{}); !errors.As(err, &throttled) {
		t.Errorf("a third invocation at one place: %v", err)
	}
	if n := r.Running("f"); n != 1 {
		t.Errorf("%d are running, want 1", n)
	}
	function.answer(`"second"`)
	r.check(second, `"second"`)
	if n := r.processes.count(); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
	if n := r.Peak("f"); n != 1 {
		t.Errorf("peak %d, want 1", n)
	}
}

// TestAnInvocationFollowsForAWhileOnly plays a runtime that works on after its answer.
func TestAnInvocationFollowsForAWhileOnly(t *testing.T) {
	t.Parallel()
	r, function := playOf(t, time.Minute, nil)
	second := r.answerAndFollow(function)
	r.other(function).answer(`"second"`)
	r.check(second, `"second"`)
	if n := r.Peak("f"); n != 2 {
		t.Errorf("peak %d, want 2: the first environment has its place until it asks for more", n)
	}
	go function.ask()
	r.awaitIdle(1)
}

// TestAnInvocationOutlivesTheEnvironmentThatItFollows plays a runtime that never calls /next again and is killed for
// that.
func TestAnInvocationOutlivesTheEnvironmentThatItFollows(t *testing.T) {
	t.Parallel()
	r, function := play(t, 500*time.Millisecond)
	second := r.answerAndFollow(function)
	r.other(function).answer(`"second"`)
	r.check(second, `"second"`)
}

func TestAnInvocationThatFollowsHearsOfTheEnd(t *testing.T) {
	t.Parallel()
	r, function := play(t, time.Minute)
	second := r.answerAndFollow(function)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-second; !errors.Is(got.err, ErrClosed) {
		t.Errorf("got %+v, want %v", got, ErrClosed)
	}
}

// TestInitKnowsTheEnvironmentThatHasAnswered calls Init right after an invocation, as after a custom resource.
func TestInitKnowsTheEnvironmentThatHasAnswered(t *testing.T) {
	t.Parallel()
	r, function := play(t, time.Minute)
	first := make(chan (<-chan invocationEnd), 1)
	go func() {
		r.awaitIdle(1)
		first <- r.invokeLater(spec.Input{})
	}()
	function.answer(`"first"`)
	r.check(<-first, `"first"`)
	if err := r.Init(t.Context(), "f"); err != nil {
		t.Error(err)
	}
	if n := r.processes.count(); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
}
