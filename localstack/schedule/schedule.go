package schedule

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxRuns is how many runs of a schedule go on at once.
const maxRuns = 10

// Invoker runs functions.
type Invoker interface {
	// Invoke runs a function and waits for its answer. functionError is not "" when the function failed. err is that
	// the function could not be run, or that ctx ended. traceID is always "" here.
	Invoke(ctx context.Context, function string, payload []byte, traceID string) (response []byte, functionError string, err error)
}

// Config describes a schedule.
type Config struct {
	// Name is the rule's, which the event's resources name.
	Name string
	// Every is the period, more than 0; see ParseRate.
	Every time.Duration
	// Function is the name of the function to invoke.
	Function string
	// Input is the payload; "" is EventBridge's Scheduled Event.
	Input string
	// Region and AccountID are in the event; default us-east-1 and 000000000000.
	Region, AccountID string
}

// Schedule invokes a function again and again.
type Schedule struct {
	config  Config
	invoker Invoker
	log     func(format string, args ...any)
	runs    chan struct{}
}

// New returns a schedule, which Run starts. log gets a line for each run that fails or is left out; nil drops them.
func New(c Config, invoker Invoker, log func(format string, args ...any)) *Schedule {
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.AccountID = cmp.Or(c.AccountID, "000000000000")
	if log == nil {
		log = func(string, ...any) {}
	}
	return &Schedule{config: c, invoker: invoker, log: log, runs: make(chan struct{}, maxRuns)}
}

// Run invokes the function now and once every period, until ctx ends; then it waits for the runs, which end with ctx too.
// A run that goes on does not hold up the next one: the function's concurrency decides.
func (s *Schedule) Run(ctx context.Context) {
	ticker := time.NewTicker(s.config.Every)
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

// start starts a run, unless too many still go on.
func (s *Schedule) start(ctx context.Context, at time.Time, running *sync.WaitGroup) {
	select {
	case s.runs <- struct{}{}:
		running.Go(func() {
			defer func() { <-s.runs }()
			s.invoke(ctx, at)
		})
	default:
		s.log("schedule %s: %d runs still go on; this one is left out", s.config.Name, maxRuns)
	}
}

func (s *Schedule) invoke(ctx context.Context, at time.Time) {
	payload, err := s.payload(at, uuid.NewString())
	if err != nil {
		s.log("schedule %s: %v", s.config.Name, err)
		return
	}
	_, functionError, err := s.invoker.Invoke(ctx, s.config.Function, payload, "")
	switch {
	case ctx.Err() != nil: // the stack stops
	case err != nil:
		s.log("schedule %s: %v", s.config.Name, err)
	case functionError != "":
		s.log("schedule %s: function %s failed: %s", s.config.Name, s.config.Function, functionError)
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
	if s.config.Input != "" {
		return []byte(s.config.Input), nil
	}
	c := s.config
	payload, err := json.Marshal(event{
		Version: "0", ID: id, DetailType: "Scheduled Event", Source: "aws.events",
		Account: c.AccountID, Time: at.UTC().Format(time.RFC3339), Region: c.Region,
		Resources: []string{fmt.Sprintf("arn:aws:events:%s:%s:rule/%s", c.Region, c.AccountID, c.Name)},
	})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return payload, nil
}
