package iowork_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/job"
	"github.com/eragon-mdi/ksu/shared/job/iowork"
)

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestRunWaitsWithinItsBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, err := job.New(iowork.Name, env(map[string]string{"JOB_FAILURE_RATE": "0"}))
		if err != nil {
			t.Fatal(err)
		}
		answers := map[string]bool{}
		for range 500 {
			start := time.Now()
			result, err := w.Run(t.Context(), uuid.New())
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
	for rate, want := range map[string]func(failures int) bool{
		"0":   func(n int) bool { return n == 0 },
		"0.1": func(n int) bool { return n > 20 && n < 250 },
		"1":   func(n int) bool { return n == 1000 },
	} {
		w, err := iowork.New(env(map[string]string{"JOB_MIN_DURATION": "0s", "JOB_MAX_DURATION": "0s", "JOB_FAILURE_RATE": rate}))
		if err != nil {
			t.Fatal(err)
		}
		failures := 0
		for range 1000 {
			if _, err := w.Run(t.Context(), uuid.New()); errors.Is(err, iowork.ErrIO) {
				failures++
			}
		}
		if !want(failures) {
			t.Errorf("rate %s: %d of 1000 runs failed", rate, failures)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := (iowork.Work{Min: time.Hour, Max: time.Hour}).Run(ctx, uuid.New()); !errors.Is(err, gone) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		vars map[string]string
		want []string
	}{
		"all three": {
			map[string]string{"JOB_MIN_DURATION": "x", "JOB_MAX_DURATION": "-1s", "JOB_FAILURE_RATE": "2"},
			[]string{`JOB_MIN_DURATION is "x"`, `JOB_MAX_DURATION is "-1s"`, `JOB_FAILURE_RATE is "2"`},
		},
		"order": {map[string]string{"JOB_MIN_DURATION": "6m"}, []string{"JOB_MAX_DURATION is 5m0s", "6m0s"}},
		"nan":   {map[string]string{"JOB_FAILURE_RATE": "NaN"}, []string{"numbers from 0 to 1"}},
	} {
		_, err := iowork.New(env(c.vars))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want it to say %q", name, err, want)
			}
		}
	}
	if _, err := job.New("nowork", env(nil)); err == nil || !strings.Contains(err.Error(), `"nowork"`) || !strings.Contains(err.Error(), "iowork") {
		t.Errorf("unknown job: %v", err)
	}
}
