// Package driver is what a store's package needs to join the factory: the registry of stores by name. It stands beside
// package store, which imports the stores, as database/sql/driver stands beside database/sql.
package driver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config says which store to open and where it is: the section storage of the configuration. Type is the name of a
// registered store; what else is needed is the store's own matter.
type Config = config.Storage

// OpenFunc opens a store. One that cannot be reached now is no error: it is returned, and its methods return
// task.ErrUnavailable until it can be.
type OpenFunc func(ctx context.Context, cfg Config) (task.Store, error)

var (
	mu      sync.RWMutex
	drivers = map[string]OpenFunc{}
)

// Register makes a store available under a name. Stores call it in their init; it panics when the name is taken, which
// is a mistake in the program.
func Register(name string, open OpenFunc) {
	mu.Lock()
	defer mu.Unlock()
	if _, taken := drivers[name]; taken || open == nil {
		panic(fmt.Sprintf("store %q: registered twice, or without a function", name))
	}
	drivers[name] = open
}

// Names lists the registered stores in alphabetical order.
func Names() []string {
	mu.RLock()
	defer mu.RUnlock()
	return slices.Sorted(maps.Keys(drivers))
}

// Open opens the store that the configuration names. The caller closes it.
func Open(ctx context.Context, cfg Config) (task.Store, error) {
	mu.RLock()
	open, ok := drivers[cfg.Type]
	mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("store type %q is not in this build, which has %s", cfg.Type, strings.Join(Names(), ", "))
	}
	store, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", cfg.Type, err)
	}
	return store, nil
}
