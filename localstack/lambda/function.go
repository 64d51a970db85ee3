package lambda

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// function is a function and its environments. Its mutex guards their states. Nobody holds it during slow work.
type function struct {
	spec.Function
	binary  string // absolute path of the executable, the bootstrap of AWS; it runs in its own folder
	service *Service
	limit   *concurrency
	env     []string // the variables of all environments

	mu   sync.Mutex
	all  map[*environment]struct{}
	idle []*environment // a stack: the environment that was used last is used next
	// answered has environments that responded but have not called /next yet, and that no invocation waits for.
	answered []*environment
	busy     int // taken slots, including those of invocations that wait for a cold start
	peak     int
	closed   bool
}

func newFunction(s *Service, definition spec.Function, binary string) (*function, error) {
	f := &function{Function: definition, service: s, limit: s.account, all: map[*environment]struct{}{}}
	if f.Name == "" {
		return nil, errors.New("a function needs a name")
	}
	if binary == "" {
		return nil, errors.New("a function needs a binary")
	}
	var err error
	if f.binary, err = filepath.Abs(binary); err != nil {
		return nil, fmt.Errorf("binary %s: %w", binary, err)
	}
	f.Timeout = cmp.Or(f.Timeout, 3*time.Second)
	f.MemorySize = cmp.Or(f.MemorySize, 128)
	f.Handler = cmp.Or(f.Handler, "bootstrap")
	f.Runtime = cmp.Or(f.Runtime, "provided.al2023")
	if r := f.ReservedConcurrency; r != nil {
		if *r < 0 {
			return nil, fmt.Errorf("reserved concurrency %d: must be 0 or more", *r)
		}
		f.limit = newConcurrency(*r, reasonReserved)
	}
	f.ARN = functionARN(f.Name)
	f.env = f.variables()
	return f, nil
}

func functionARN(name string) string { return awsid.ARN("lambda", "function:"+name) }
