package runner_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/task"
)

// TestStopReleasesTheTask checks that the log distinguishes a task that was given back from one whose lease was lost.
func TestStopReleasesTheTask(t *testing.T) {
	t.Parallel()
	for logged, s := range map[string]*store{
		"task released: the worker stops": {},
		"task not released: lease lost":   {finish: func() error { return task.ErrLeaseLost }},
	} {
		started := make(chan struct{})
		var out bytes.Buffer
		r := runner.New(s, &sent{}, work(func(ctx context.Context) (string, error) {
			close(started)
			return untilStopped(ctx)
		}).job(), slog.New(slog.NewJSONHandler(&out, nil)), runner.Config{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			answer, err := r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: message()}}})
			if err != nil || len(answer.BatchItemFailures) != 0 {
				t.Errorf("answer %+v, %v", answer, err)
			}
		}()
		<-started
		r.Stop()
		<-ended
		if !slices.Equal(s.calls[1:], []string{"release 1 for 0s"}) || !strings.Contains(out.String(), logged) {
			t.Errorf("calls %q, want a release at the end; want %q in the log:\n%s", s.calls, logged, &out)
		}
	}
}

// TestStopDuringAClaim checks that a stop waits for the store's answer: a task that was claimed is given back at once. If
// there is no answer, the permit goes back, without an error in the log.
func TestStopDuringAClaim(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err      error
		returned int
		last     string
	}{
		"a task was claimed": {nil, 0, "release 1 for 0s"},
		"the claim is cut":   {context.Canceled, 1, "claim 9s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claiming, stopped := make(chan struct{}), make(chan struct{})
			s := &store{claim: func() (int, error) {
				close(claiming)
				<-stopped
				return 1, test.err
			}}
			var out bytes.Buffer
			r := runner.New(s, &sent{}, work(untilStopped).job(), slog.New(slog.NewJSONHandler(&out, nil)), runner.Config{})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				answer, err := r.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: message()}}})
				if err != nil || len(answer.BatchItemFailures) != test.returned {
					t.Errorf("answer %+v, %v; want %d permits back", answer, err, test.returned)
				}
			}()
			<-claiming
			done := make(chan struct{})
			go func() { defer close(done); r.Stop() }()
			<-r.Stopping()
			close(stopped)
			<-done
			<-ended
			if got := s.calls[len(s.calls)-1]; got != test.last || strings.Contains(out.String(), "ERROR") {
				t.Errorf("calls %q, want %q at the end; the log:\n%s", s.calls, test.last, &out)
			}
		})
	}
}
