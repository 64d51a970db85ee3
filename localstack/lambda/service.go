// Package lambda is a local AWS Lambda for native binaries. Each function runs as real processes that speak the Runtime
// API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), as on AWS. A process is called an environment. It
// serves one invocation at a time. The Service starts environments on demand, up to the concurrency of the function, and
// reuses warm ones. An environment ends when it is idle for long, exceeds the timeout of its function, or crashes.
//
// An invocation ends for its caller when the environment posts its response, as on AWS. Its log ends and its slot is
// released when the environment asks for the next invocation. An invocation that arrives in between waits for that
// environment for a moment; AWS starts another environment or throttles.
//
// Not emulated: versions and aliases, layers, external extensions and the Telemetry API, response streaming, the memory
// limit (a function may use more than its MemorySize), and the second init that AWS attempts after a failed one.
package lambda

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Options configure a Service. The zero value is usable.
type Options struct {
	// InitTimeout is how long an environment may take from its start to its first request for an invocation.
	// Default 10 s, as on AWS.
	InitTimeout time.Duration
	// IdleTimeout is how long an environment without an invocation is kept. Default 5 minutes; AWS promises nothing.
	IdleTimeout time.Duration
	// Freeze stops the processes of idle environments (SIGSTOP), as AWS freezes them: background work of a function stands
	// still until its next invocation. An environment is frozen some milliseconds after its last invocation. Default: idle
	// processes run on.
	Freeze bool
	// Logs receives each line that a function writes, without its line end, and Lambda's own START, END and REPORT lines.
	// The Service calls it from several goroutines, for one environment in the order of its lines. It must not keep line.
	// If it is slow, the functions are. Default: the Service drops the lines.
	Logs func(function string, line []byte)
	// Invoked receives each invocation that has ended, after the last of its log lines. It must not change or keep the
	// payloads of event and answer. The Service calls it from several goroutines. If it is slow, the functions are.
	// Default: none.
	Invoked func(function string, event, answer []byte, failed bool, took time.Duration)
	// Profiles receives the address at which a new environment may serve its profiles, see ProfileVariable. The Service
	// calls it from any goroutine. Default: environments get no listener for profiles.
	Profiles func(function, address string)
	// Processes starts the processes of environments. Default: plain processes, each in a process group of its own.
	Processes Processes
	// Environment has variables for all functions; the variables of a function take precedence. Default: none.
	Environment map[string]string
}

// Service holds functions and runs them. Its methods may be called from any goroutine.
type Service struct {
	options Options
	api     *runtimeAPI
	account *concurrency // shared by all functions without reserved concurrency
	async   *async

	mu        sync.RWMutex // guards the rest
	functions map[string]*function
	closed    bool
	closing   sync.Once
	closeErr  error

	environments sync.WaitGroup // running environments
}

// New starts a Service without functions: its Runtime API listens on a free port of 127.0.0.1. The caller must Close it.
func New(options Options) (*Service, error) {
	s := &Service{
		options:   options.withDefaults(),
		account:   newConcurrency(accountConcurrency, reasonAccount),
		functions: map[string]*function{},
	}
	s.async = newAsync(s)
	api, err := startRuntimeAPI()
	if err != nil {
		return nil, fmt.Errorf("start the runtime API: %w", err)
	}
	s.api = api
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.InitTimeout <= 0 {
		o.InitTimeout = 10 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 5 * time.Minute
	}
	if o.Logs == nil {
		o.Logs = func(string, []byte) {}
	}
	if o.Processes == nil {
		o.Processes = plainProcesses{}
	}
	return o
}

// Add adds a function whose executable is binary. It does not start anything yet. Zero fields of the definition get the
// defaults of AWS. Add fails if the name or the binary is empty, or if the name is taken.
func (s *Service) Add(definition spec.Function, binary string) error {
	f, err := newFunction(s, definition, binary)
	if err != nil {
		return fmt.Errorf("add function %s: %w", definition.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.functions[f.Name] != nil {
		return fmt.Errorf("add function %s: the name is taken", f.Name)
	}
	s.functions[f.Name] = f
	return nil
}

// Running returns the number of environments of a function: starting, busy, idle or ending. It returns 0 for an unknown
// function.
func (s *Service) Running(name string) int {
	f, err := s.function(name)
	if err != nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

// Peak returns the largest number of concurrent invocations that a function has had. It returns 0 for an unknown function.
func (s *Service) Peak(name string) int {
	f, err := s.function(name)
	if err != nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peak
}

// Close ends all environments and waits for them. An environment that registered an extension (lambda.WithEnableSIGTERM
// in Go) gets SIGTERM and two seconds. The others get SIGKILL, as do all when the two seconds are over or ctx ends.
// Unanswered invocations then fail with ErrClosed. Closing again only waits.
func (s *Service) Close(ctx context.Context) error {
	s.closing.Do(func() { s.closeErr = s.close(ctx) })
	return s.closeErr
}

func (s *Service) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	functions := slices.Collect(maps.Values(s.functions))
	s.mu.Unlock()
	s.async.stop()
	for _, f := range functions {
		f.close(closeGrace)
	}
	ended := make(chan struct{})
	go func() { s.environments.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		for _, f := range functions {
			f.close(0)
		}
		<-ended
	}
	s.async.wait()
	if err := s.api.close(); err != nil {
		return fmt.Errorf("close the runtime API: %w", err)
	}
	return nil
}

func (s *Service) function(name string) (*function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f := s.functions[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("function %q: %w", name, ErrNotFound)
}
