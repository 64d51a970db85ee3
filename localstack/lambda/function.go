package lambda

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Function defines a function.
type Function struct {
	// Name is the function's name. Required, unique within a Service.
	Name string
	// Binary is the path of the executable, what AWS calls the bootstrap. Required. It runs without arguments.
	Binary string
	// Dir is the working folder and LAMBDA_TASK_ROOT. Default: Binary's folder.
	Dir string
	// Env holds the function's own variables. Those which AWS reserves for the runtime cannot be changed.
	Env map[string]string
	// Timeout is how long one invocation may take before its environment is killed. Default 3 s, as on AWS.
	Timeout time.Duration
	// MemorySize is in MB. It is shown to the function and in the log and not enforced. Default 128.
	MemorySize int
	// ReservedConcurrency is the largest number of concurrent invocations; 0 throttles all. Nil: the function
	// shares the account's limit of 1,000 with all functions that reserve nothing.
	ReservedConcurrency *int
	// Handler is the value of _HANDLER. Binaries for provided runtimes ignore it. Default "bootstrap".
	Handler string
}

// function is a Function at work: its environments. Everything about their lives is guarded by its mutex, which is
// never held while something slow is done.
type function struct {
	Function
	service *Service
	arn     string
	limit   *concurrency
	env     []string // the variables of all environments

	mu   sync.Mutex
	all  map[*environment]struct{}
	idle []*environment // the last one was used last, and is used next
	// answered have given their answer, are still to ask for more, and had no next invocation yet.
	answered []*environment
	busy     int // places that are taken: by invocations, those that wait for a cold start included
	peak     int
	closed   bool
}

func newFunction(s *Service, definition Function) (*function, error) {
	f := &function{Function: definition, service: s, limit: s.account, all: map[*environment]struct{}{}}
	if f.Name == "" {
		return nil, errors.New("a function needs a name")
	}
	if f.Binary == "" {
		return nil, errors.New("a function needs a binary")
	}
	var err error
	if f.Binary, err = filepath.Abs(f.Binary); err != nil {
		return nil, fmt.Errorf("binary %s: %w", definition.Binary, err)
	}
	if f.Dir == "" {
		f.Dir = filepath.Dir(f.Binary)
	}
	if f.Timeout <= 0 {
		f.Timeout = 3 * time.Second
	}
	if f.MemorySize <= 0 {
		f.MemorySize = 128
	}
	if f.Handler == "" {
		f.Handler = "bootstrap"
	}
	if r := f.ReservedConcurrency; r != nil {
		if *r < 0 {
			return nil, fmt.Errorf("reserved concurrency %d: must be 0 or more", *r)
		}
		f.limit = newConcurrency(*r, reasonReserved)
	}
	f.arn = s.arn(f.Name)
	f.env = f.variables()
	return f, nil
}

func (s *Service) arn(name string) string {
	return "arn:aws:lambda:" + s.options.Region + ":" + s.options.AccountID + ":function:" + name
}
