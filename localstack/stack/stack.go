// Package stack starts the parts of the local stack in order and ends them again: template, build, database, queues,
// functions, custom resources, REST API, mappings and schedules.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/customresource"
	"github.com/eragon-mdi/ksu/localstack/eventsource"
	"github.com/eragon-mdi/ksu/localstack/gateway"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/schedule"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/sqs"
	"github.com/eragon-mdi/ksu/localstack/template"
)

const (
	stackName = "ksu"
	// grace is how long requests and functions have to end at a stop, before they are killed.
	grace = 5 * time.Second
)

// Run runs the stack until ctx ends, and then ends everything that it started. It writes its progress, the banner and
// the functions' logs to out. An error says why the stack could not start, or what ended it.
func Run(ctx context.Context, o Options, out io.Writer) error {
	s := newStack(o, out)
	err := s.start(ctx)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-s.failed:
		}
	} else if ctx.Err() != nil {
		err = nil // stopped by the user during the start
	}
	if s.begun {
		s.console.Step("stack", "stopping")
	}
	return errors.Join(err, s.stop())
}

func newStack(o Options, out io.Writer) *stack {
	return &stack{
		options: o, console: console.New(out, console.Options{Level: o.LogLevel, Now: time.Now}), failed: make(chan error, 8),
		storageSource: "--storage", findPostgres: postgres.Find,
	}
}

// stack is one running local stack.
type stack struct {
	options Options
	console *console.Console

	template   *template.Template
	settings   settings
	resolved   *spec.Stack
	processes  *process.Supervisor
	functions  *lambda.Service
	queues     *sqs.Service
	api, aws   *listen.Port
	custom     *customresource.Service
	storage    storage
	clickHouse clickHouse
	binaries   map[string]string // by function name

	// storageSource says what the storage of the options stands in.
	storageSource string
	// findPostgres is postgres.Find.
	findPostgres func() (string, error)

	// begun says that parts are started whose end takes a moment, of which the user is told.
	begun bool

	profiles profiles
	// missing says which custom resources failed that may.
	missing []string

	// stops end what was started, in the order of the starts.
	stops []func(context.Context) error
	// failed has the errors of parts that ended by themselves.
	failed chan error
}

func (s *stack) start(ctx context.Context) error {
	started := time.Now()
	for _, step := range []func(context.Context) error{
		s.loadTemplate, s.lockData, s.listenAWS, s.startProcesses, s.readSettings, s.listenAPI, s.chooseStorage, s.checkTemplate,
		s.serveProfiles, s.buildAndStartDatabase, s.openClickHouse, s.resolveTemplate,
		s.startQueues, s.startFunctions, s.serveAWS, s.runCustomResources, s.initFunctions,
		s.startMappings, s.startSchedules, s.serveAPI,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.console.Step("stack", "ready in %s", time.Since(started).Round(time.Millisecond))
	s.console.Print(s.banner())
	return nil
}

// onStop adds what ends a part that was just started.
func (s *stack) onStop(f func(context.Context) error) { s.stops = append(s.stops, f) }

// stop ends the parts in the reverse order of their start.
func (s *stack) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 6*grace)
	defer cancel()
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		errs = append(errs, s.stops[i](ctx))
	}
	s.stops = nil
	return errors.Join(errs...)
}

func (s *stack) loadTemplate(ctx context.Context) error {
	t, err := interruptible(ctx, func() (*template.Template, error) { return template.Parse(s.options.Template) })
	if err != nil {
		return err
	}
	s.template = t
	return nil
}

// checkTemplate resolves the template with placeholders, so that what cannot run is refused before anything is started.
func (s *stack) checkTemplate(ctx context.Context) error {
	resolved, err := s.resolve(ctx, "http://127.0.0.1:4566")
	if err != nil {
		return err
	}
	_, err = s.variables(resolved)
	return err
}

// resolve gives the template its parameters.
func (s *stack) resolve(ctx context.Context, endpoint string) (*spec.Stack, error) {
	options := s.templateOptions(endpoint)
	return interruptible(ctx, func() (*spec.Stack, error) { return s.template.Resolve(options) })
}

// templateOptions are what a deployment would give the template: --parameter-overrides, else the configuration.
func (s *stack) templateOptions(endpoint string) template.Options {
	parameters := map[string]string{}
	for _, p := range s.template.Parameters {
		if found, ok := s.configured(p.Name); ok {
			parameters[p.Name] = found.Value
		}
	}
	maps.Copy(parameters, s.storage.parameters)
	maps.Copy(parameters, s.clickHouse.parameters)
	for name, value := range s.options.Parameters {
		parameters[name] = value
	}
	return template.Options{
		Parameters: parameters, StackName: stackName, Endpoint: endpoint,
	}
}

func (s *stack) resolveTemplate(ctx context.Context) error {
	resolved, err := s.resolve(ctx, s.aws.URL())
	s.resolved = resolved
	return err
}

func (s *stack) startProcesses(context.Context) error {
	supervisor, err := process.Start()
	if err != nil {
		return err
	}
	s.processes = supervisor
	s.onStop(func(context.Context) error { return supervisor.Close() })
	return nil
}

func (s *stack) startQueues(context.Context) error {
	dir, err := s.options.dataPath("sqs")
	if err != nil {
		return err
	}
	s.queues, err = sqs.New(sqs.Options{Endpoint: s.aws.URL(), Dir: dir})
	if err != nil {
		return err
	}
	s.onStop(func(context.Context) error { return s.queues.Close() })
	for _, q := range s.resolved.Queues {
		if err := s.queues.Create(q); err != nil {
			return err
		}
	}
	return nil
}

// serveAWS serves the AWS endpoint, which the functions need from their first line on.
func (s *stack) serveAWS(context.Context) error {
	s.custom = customresource.New(s.functions, s.aws.URL())
	s.aws.Serve(awsEndpoint(s.queues.Handler(), s.functions.Handler(), s.custom))
	s.onStop(closePort(s.aws)) // before what it serves ends
	return nil
}

// serveAPI serves the REST API. Where the template has none, it gives the port back.
func (s *stack) serveAPI(ctx context.Context) error {
	if s.resolved.API == nil {
		return closePort(s.api)(ctx)
	}
	handler, err := gateway.New(*s.resolved.API, s.functions, gateway.Options{Log: func(m string) { s.console.Step("gateway", "%s", m) }})
	if err != nil {
		return err
	}
	s.api.Serve(handler)
	s.onStop(closePort(s.api)) // before what it serves ends
	return nil
}

func (s *stack) runCustomResources(ctx context.Context) error {
	for _, r := range s.resolved.CustomResources {
		err := s.console.Timed("custom resource "+r.LogicalID, func() error {
			return s.custom.Create(ctx, r, s.resolved.ID)
		})
		if r.MayFail && err != nil && ctx.Err() == nil {
			s.console.Step("warning", "%s; the stack starts without it", err)
			s.missing = append(s.missing, err.Error())
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) startMappings(context.Context) error {
	for _, m := range s.resolved.Mappings {
		if !m.Enabled {
			continue
		}
		queue, ok := s.queues.Queue(m.Queue)
		if !ok {
			return fmt.Errorf("mapping %s: there is no queue %s", m.LogicalID, m.Queue)
		}
		s.background(eventsource.New(m, queue, s.functions, s.logOf("mapping")).Run)
	}
	return nil
}

func (s *stack) startSchedules(context.Context) error {
	for _, sc := range s.resolved.Schedules {
		if sc.Enabled {
			s.background(schedule.New(sc, s.functions, s.logOf("schedule")).Run)
		}
	}
	return nil
}

// background runs f until the stack stops, and waits for its end.
func (s *stack) background(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	s.onStop(func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
}

// logOf writes what a part of the stack has to say, marked with its name.
func (s *stack) logOf(part string) func(format string, args ...any) {
	return func(format string, args ...any) { s.console.Step(part, format, args...) }
}
