package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
)

// TestFailureIsLogged once, at its level and with its place, and the answer has it too.
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

// TestPanicIsAnswered, since CloudFormation would wait for an hour.
func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var got response
	bucket := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	}))
	defer bucket.Close()
	defer func() {
		if p := recover(); p != "lost" {
			t.Errorf("the panic is %v; want it to end the function as well", p)
		}
		if got.Status != "FAILED" || got.Reason == "" || got.PhysicalResourceID != logsID {
			t.Errorf("the answer is %+v", got)
		}
	}()
	err := answer(func(context.Context, cfn.Event) (string, map[string]any, error) { panic("lost") })(t.Context(),
		cfn.Event{RequestType: cfn.RequestCreate, ResourceType: logsType, ResponseURL: bucket.URL})
	t.Errorf("the function returns %v", err)
}

func TestAnswerThatIsNotTaken(t *testing.T) {
	t.Parallel()
	err := answer(func(context.Context, cfn.Event) (string, map[string]any, error) { return tasksID, nil, nil })(t.Context(),
		cfn.Event{ResponseURL: "http://127.0.0.1:1"})
	if err == nil {
		t.Error("no error, with which Lambda would call the function again")
	}
}
