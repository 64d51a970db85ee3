package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
)

// TestFailureIsLogged checks that a failure is one log line with level and source, and that the answer has it too.
func TestFailureIsLogged(t *testing.T) { // not parallel: it sets the default logger
	var out bytes.Buffer
	before, flags, writer := slog.Default(), log.Flags(), log.Writer()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{AddSource: true})))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetFlags(flags)
		log.SetOutput(writer)
	})
	got := ask(t, func(context.Context, cfn.Event) (string, map[string]any, error) {
		return tasksID, nil, errors.New("the reason")
	}, "Custom::Migration", "Create")
	if got.Status != "FAILED" || got.Reason != "the reason" || got.PhysicalResourceID != tasksID {
		t.Errorf("the answer is %+v", got)
	}
	var line struct {
		Level, Msg, Resource, Request, Error string
		Source                               struct{ Line int }
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil { // of several lines as well
		t.Fatalf("%v: %s", err, out.String())
	}
	if line.Level != "ERROR" || line.Msg != "custom resource failed" || line.Error != "the reason" || line.Resource == "" ||
		line.Request != "Create" || line.Source.Line == 0 {
		t.Errorf("the line is %s", out.String())
	}
}

// TestPanicIsAnswered checks that CloudFormation does not wait for a function that panics.
func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	url, got := bucket(t)
	defer func() {
		if p := recover(); p != "lost" {
			t.Errorf("the panic is %v; want it to end the function as well", p)
		}
		if got.Status != "FAILED" || got.Reason == "" || got.PhysicalResourceID != logsID {
			t.Errorf("the answer is %+v", got)
		}
	}()
	err := answer(func(context.Context, cfn.Event) (string, map[string]any, error) { panic("lost") })(t.Context(),
		cfn.Event{RequestType: cfn.RequestCreate, ResourceType: logsType, ResponseURL: url})
	t.Errorf("the function returns %v", err)
}

func TestAnswerThatIsNotTaken(t *testing.T) {
	t.Parallel()
	err := answer(func(context.Context, cfn.Event) (string, map[string]any, error) { return tasksID, nil, nil })(t.Context(),
		cfn.Event{ResponseURL: "http://127.0.0.1:1"})
	if err == nil {
		t.Error("no error; Lambda would not retry the invocation")
	}
}

// TestAnswerInTime checks the answer to a request that takes as long as the function may run.
func TestAnswerInTime(t *testing.T) {
	t.Parallel()
	url, got := bucket(t)
	invocation, cancel := context.WithTimeout(t.Context(), answerTime)
	defer cancel()
	err := answer(func(ctx context.Context, _ cfn.Event) (string, map[string]any, error) {
		<-ctx.Done()
		return tasksID, nil, errors.Join(ctx.Err(), invocation.Err())
	})(invocation, cfn.Event{ResponseURL: url})
	if err != nil || got.Status != "FAILED" || got.Reason != context.DeadlineExceeded.Error() {
		t.Errorf("the function returns %v, the answer is %+v", err, got)
	}
}

// TestLongReason checks that a reason above CloudFormation's limit is cut.
func TestLongReason(t *testing.T) {
	t.Parallel()
	url, got := bucket(t)
	reason := "migration failed: " + strings.Repeat("ä \"x\" <\n", 200)
	err := answer(func(context.Context, cfn.Event) (string, map[string]any, error) {
		return tasksID, nil, errors.New(reason)
	})(t.Context(),
		cfn.Event{StackID: strings.Repeat("s", 300), ResponseURL: url})
	before, ok := strings.CutSuffix(got.Reason, " … (the function's log has the rest)")
	if err != nil || got.Status != "FAILED" || !ok || !strings.HasPrefix(reason, before) || len(before) < 1000 {
		t.Errorf("the function returns %v, the answer is %+v", err, got)
	}
}
