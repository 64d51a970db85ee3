package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// maxRuns is how many runs of a schedule may overlap.
const maxRuns = 10

// Schedule invokes a function periodically.
type Schedule struct {
	spec    spec.Schedule
	invoker spec.Invoker
	log     func(format string, args ...any)
	runs    chan struct{}
}

// New returns a schedule; Run starts it. log gets a line for each run that fails or is skipped; nil drops the lines.
func New(s spec.Schedule, invoker spec.Invoker, log func(format string, args ...any)) *Schedule {
	if log == nil {
		log = func(string, ...any) {}
	}
	return &Schedule{spec: s, invoker: invoker, log: log, runs: make(chan struct{}, maxRuns)}
}

// Run invokes the function now and once every period, until ctx ends. Then it waits for the runs, which end with ctx
// too. Runs may overlap; the function's concurrency decides.
func (s *Schedule) Run(ctx context.Context) {
	ticker := time.NewTicker(s.spec.Every)
	defer ticker.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	s.start(ctx, time.Now(), &running)
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-ticker.C:
			s.start(ctx, at, &running)
		}
	}
}

// start starts a run, unless too many still run.
func (s *Schedule) start(ctx context.Context, at time.Time, running *sync.WaitGroup) {
	select {
	case s.runs <- struct{}{}:
		running.Go(func() {
			defer func() { <-s.runs }()
			s.invoke(ctx, at)
		})
	default:
		s.log("schedule %s: %d runs still in progress; run skipped", s.spec.Name, maxRuns)
	}
}

func (s *Schedule) invoke(ctx context.Context, at time.Time) {
	payload, err := s.payload(at, uuid.NewString())
	if err != nil {
		s.log("schedule %s: %v", s.spec.Name, err)
		return
	}
	out, err := s.invoker.Invoke(ctx, s.spec.Function, spec.Input{Payload: payload})
	switch {
	case ctx.Err() != nil: // the stack stops
	case err != nil:
		s.log("schedule %s: %v", s.spec.Name, err)
	case out.FunctionError != "":
		s.log("schedule %s: function %s failed: %s", s.spec.Name, s.spec.Function, out.Payload)
	}
}

// event is EventBridge's event of a schedule.
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html.
type event struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     struct{} `json:"detail"`
}

func (s *Schedule) payload(at time.Time, id string) ([]byte, error) {
	if s.spec.Input != "" {
		return []byte(s.spec.Input), nil
	}
	payload, err := json.Marshal(event{
		Version: "0", ID: id, DetailType: "Scheduled Event", Source: "aws.events",
		Account: awsid.Account, Time: at.UTC().Format(time.RFC3339), Region: awsid.Region,
		Resources: []string{awsid.ARN("events", "rule/"+s.spec.Name)},
	})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return payload, nil
}
