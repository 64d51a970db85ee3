// Package job is what workers run: the Job interface and a registry of jobs by name.
package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Job is the work behind a task. A Job serves many tasks at once and keeps no state between them.
type Job interface {
	// Run does the work of one task and returns its result. It ends soon after its context does: the context ends when
	// the task is deleted, when another worker holds it, and before the function's time-out.
	Run(ctx context.Context, taskID uuid.UUID) (result string, err error)
}

// Factory builds a job from settings, which env looks up by the name of an environment variable ("" when unset).
type Factory func(env func(name string) string) (Job, error)

var (
	mu        sync.RWMutex
	factories = map[string]Factory{}
)

// Register makes a job available to New under a name. Packages of jobs call it in their init; it panics when the name
// is taken.
func Register(name string, f Factory) {
	mu.Lock()
	defer mu.Unlock()
	if _, taken := factories[name]; taken {
		panic("job: " + name + " is registered twice")
	}
	factories[name] = f
}

// New builds the job of the given name. An unknown name is an error that lists the known ones.
func New(name string, env func(string) string) (Job, error) {
	mu.RLock()
	f, ok := factories[name]
	var names []string
	for n := range factories {
		names = append(names, n)
	}
	mu.RUnlock()
	if !ok {
		slices.Sort(names)
		return nil, fmt.Errorf("job %q is unknown; known are: %s", name, strings.Join(names, ", "))
	}
	j, err := f(env)
	if err != nil {
		return nil, fmt.Errorf("set up job %s: %w", name, err)
	}
	return j, nil
}
