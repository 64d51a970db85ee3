package iowork_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/iowork"
	"github.com/eragon-mdi/ksu/shared/job/jobtest"
)

func TestRunWaitsWithinItsBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work := iowork.New(iowork.Settings{Min: 3 * time.Minute, Max: 5 * time.Minute})
		answers := map[string]bool{}
		for range 500 {
			start := time.Now()
			result, err := jobtest.Run[string](t.Context(), work, iowork.Payload{})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < 3*time.Minute || took > 5*time.Minute {
				t.Fatalf("took %s, want 3m to 5m", took)
			}
			if !regexp.MustCompile(`^io work result = [0-9]$`).MatchString(result) {
				t.Fatalf("result %q", result)
			}
			answers[result] = true
		}
		if len(answers) != 10 {
			t.Errorf("500 runs gave %d of the 10 answers", len(answers))
		}
	})
}

func TestRunFailsAsOftenAsAsked(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]func(failures int) bool{
		0:   func(n int) bool { return n == 0 },
		0.1: func(n int) bool { return n > 20 && n < 250 },
		1:   func(n int) bool { return n == 1000 },
	} {
		work := iowork.New(iowork.Settings{FailureRate: rate})
		failures := 0
		for range 1000 {
			if _, err := work.Run(t.Context(), job.Task{}, nil); errors.Is(err, iowork.ErrIO) {
				failures++
			}
		}
		if !want(failures) {
			t.Errorf("rate %g: %d of 1000 runs failed", rate, failures)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	work := iowork.New(iowork.Settings{Min: time.Hour, Max: time.Hour})
	if _, err := work.Run(ctx, job.Task{}, nil); !errors.Is(err, gone) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestRunReportsEachSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work := iowork.New(iowork.Settings{Min: 90 * time.Second, Max: 90 * time.Second})
		var reporter job.Reporter
		ended := make(chan error)
		go func() {
			_, err := work.Run(job.WithReporter(t.Context(), &reporter), job.Task{}, nil)
			ended <- err
		}()
		for second := range int64(90) {
			synctest.Wait()
			if got, changed := reporter.Latest(); got.Done != second || got.Total != 90 || !changed {
				t.Fatalf("second %d: report %+v, changed %t", second, got, changed)
			}
			<-time.After(time.Second) // of the bubble's clock
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got, _ := reporter.Latest(); got.Done != 90 {
			t.Errorf("last report %+v, want 90 of 90", got)
		}
	})
}

func TestOnlyAnEmptyPayloadIsTaken(t *testing.T) {
	t.Parallel()
	work := iowork.New(iowork.Settings{})
	for payload, want := range map[string]string{
		"":              "",
		"{}":            "",
		`{"minutes":3}`: "payload of job iowork: /minutes is unknown; allowed are no members",
		`[]`:            "payload of job iowork: the payload is an array; allowed is an object",
	} {
		err := work.Validate([]byte(payload))
		if got := ""; err != nil {
			got = err.Error()
			if got != want {
				t.Errorf("%s: %s, want %q", payload, got, want)
			}
		} else if want != "" {
			t.Errorf("%s: no error, want %q", payload, want)
		}
	}
}
