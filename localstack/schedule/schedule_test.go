package schedule_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/schedule"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the goldens")

// function is an Invoker that records its input and the time.
type function struct {
	takes time.Duration // how long an invocation lasts

	mu       sync.Mutex
	starts   []time.Duration // since the first use of begin
	begin    time.Time
	payloads []string
}

func (f *function) Invoke(ctx context.Context, _ string, in spec.Input) (*spec.Output, error) {
	f.mu.Lock()
	f.starts = append(f.starts, time.Since(f.begin))
	f.payloads = append(f.payloads, string(in.Payload))
	f.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(f.takes):
		return &spec.Output{Payload: []byte("null")}, nil
	}
}

// run runs a schedule for a time and returns the times of the invocations.
func run(t *testing.T, c spec.Schedule, f *function, d time.Duration, log func(string, ...any)) []time.Duration {
	t.Helper()
	f.begin = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	schedule.New(c, f, log).Run(ctx)
	if len(f.starts) != len(f.payloads) {
		t.Error("an invocation outlives Run")
	}
	return f.starts
}

func TestRunsEveryPeriod(t *testing.T) {
	t.Parallel()
	for name, takes := range map[string]time.Duration{"short": time.Second, "longer than the period": 90 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &function{takes: takes}
				starts := run(t, spec.Schedule{Name: "sweep", Every: time.Minute, Function: "tidy"}, f, 3*time.Minute+time.Second, nil)
				if want := []time.Duration{0, time.Minute, 2 * time.Minute, 3 * time.Minute}; !slices.Equal(starts, want) {
					t.Errorf("started at %v, want %v", starts, want)
				}
			})
		})
	}
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		skipped := 0
		log := func(format string, _ ...any) {
			if strings.Contains(format, "skipped") {
				skipped++
			}
		}
		f := &function{takes: 24 * time.Hour}
		starts := run(t, spec.Schedule{Name: "sweep", Every: time.Minute}, f, 14*time.Minute+time.Second, log)
		if len(starts) != 10 || skipped != 5 {
			t.Errorf("%d runs, %d skipped", len(starts), skipped)
		}
	})
}

func TestInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &function{}
		run(t, spec.Schedule{Name: "sweep", Every: time.Hour, Input: `{"full": true}`}, f, time.Minute, nil)
		if !slices.Equal(f.payloads, []string{`{"full": true}`}) {
			t.Errorf("payloads are %q", f.payloads)
		}
	})
}

var id = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

func TestScheduledEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &function{}
		run(t, spec.Schedule{Name: "sweep", Every: 5 * time.Minute}, f, 5*time.Minute+1, nil)
		if len(f.payloads) != 2 || id.FindString(f.payloads[0]) == id.FindString(f.payloads[1]) {
			t.Fatalf("payloads are %q", f.payloads)
		}
		var event events.EventBridgeEvent // as functions decode it
		if err := json.Unmarshal([]byte(f.payloads[0]), &event); err != nil || event.DetailType != "Scheduled Event" {
			t.Errorf("functions read %+v, %v", event, err)
		}
		golden(t, "scheduled-event.json", id.ReplaceAllString(f.payloads[0], "ID"))
	})
}

// golden compares a line with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text+"\n" != string(want) {
		t.Errorf("%s is now\n%s", path, text)
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)":     time.Minute,
		"rate(5 minutes)":    5 * time.Minute,
		"rate(1 hour)":       time.Hour,
		"rate(12 hours)":     12 * time.Hour,
		"rate(1 day)":        24 * time.Hour,
		" rate( 2   days ) ": 48 * time.Hour,
	} {
		if got, err := schedule.ParseRate(expression); err != nil || got != want {
			t.Errorf("%s is %s, %v", expression, got, err)
		}
	}
	for expression, want := range map[string]string{
		"rate(1 minutes)":           "the unit of 1 is minute",
		"rate(5 minute)":            "the unit of 5 is minutes",
		"rate(0 minutes)":           "not a whole number from 1",
		"rate(-1 minutes)":          "not a whole number from 1",
		"rate(+1 minute)":           "not a whole number from 1",
		"rate(1.5 hours)":           "not a whole number from 1",
		"rate(10 seconds)":          "allowed are minute",
		"rate(10 s)":                "allowed are minute",
		"rate(minute)":              "not of the form",
		"rate(1 minute":             "not of the form",
		"1 minute":                  "not of the form",
		"":                          "not of the form",
		"rate(99999999999999 days)": "too many",
		"cron(0 12 * * ? *)":        "rate(…) only",
		"at(2026-01-01T00:00:00)":   "rate(…) only",
	} {
		if got, err := schedule.ParseRate(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %s, %v; want an error with %q", expression, got, err, want)
		}
	}
}
