// Package lambda is a local AWS Lambda for native binaries. Each function runs as real processes that speak the
// Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), as they do on AWS: every process, an
// environment, serves one invocation at a time, is started on demand up to the function's concurrency, is used again
// while warm, and ends when it was idle for long, exceeds the function's timeout, or crashes.
//
// An invocation ends for its caller when the environment posts its response, as on AWS. Its log ends, and its place in the
// concurrency is free, when the environment asks for the next one. An invocation that comes in between waits for that
// environment for a while, where AWS starts another one or throttles.
//
// Not emulated: versions and aliases, layers, external extensions and the Telemetry API, response streaming, the memory
// limit (a function may use more than its MemorySize), and the second initialisation that AWS attempts when the first
// one fails.
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
	// Freeze stops the processes of environments between invocations (SIGSTOP), as AWS freezes them: what a function does
	// in the background stands still until its next invocation. It begins some milliseconds after an invocation's end, if
	// no other one has come until then. Default: they run on.
	Freeze bool
	// Logs receives each line that a function writes, without its line end, and Lambda's own START, END and REPORT
	// lines. It is called from several goroutines, for one environment in the order of its lines, and must not keep
	// line. A slow one slows the functions. Default: lines are dropped.
	Logs func(function string, line []byte)
	// Invoked, if not nil, is called at the end of each invocation, after the last of its log lines, with the payloads of the
	// event and of the answer, which it must not change or keep. It is called from several goroutines. A slow one slows the
	// functions.
	Invoked func(function string, event, answer []byte, failed bool, took time.Duration)
	// Profiles, if not nil, makes every environment's process get a listener for its profiles, see ProfileVariable, and is
	// called with its address once the process has started, from any goroutine.
	Profiles func(function, address string)
	// Processes starts the environments' processes. Default: plain processes, each in a process group of its own.
	Processes Processes
	// Environment holds variables for all functions; those of a function itself win. Default none.
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

// Add makes a function known, whose executable is binary; nothing is started yet. What the definition leaves at zero is
// AWS's default. It fails if the name or the binary is empty, or the name is taken.
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
		return fmt.Errorf("add function %s: there is one of this name already", f.Name)
	}
	s.functions[f.Name] = f
	return nil
}

// Running is the number of environments of a function: starting, busy, idle or ending. 0 for an unknown function.
func (s *Service) Running(name string) int {
	f, err := s.function(name)
	if err != nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

// Peak is the largest number of invocations of a function that there ever were at the same time. 0 for an unknown one.
func (s *Service) Peak(name string) int {
	f, err := s.function(name)
	if err != nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peak
}

// Close ends all environments and waits for them. Those that registered an extension (lambda.WithEnableSIGTERM in Go)
// get SIGTERM and two seconds; the others, those that take longer, and all as soon as ctx is done, get SIGKILL.
// Invocations that are not answered by then fail with ErrClosed. Closing again only waits.
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
