// Package store opens the store that the configuration names. The stores that this build has are the imports of the
// files drivers*.go.
package store

import (
	"context"

	"github.com/eragon-mdi/ksu/shared/store/driver"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Config says which store to open and where it is.
type Config = driver.Config

// OpenFunc opens a store.
type OpenFunc = driver.OpenFunc

// Open opens the store that the configuration names. The caller closes it. A type that this build has not is an error
// that lists those it has; that the store cannot be reached now is none: its methods return task.ErrUnavailable until it
// can be.
func Open(ctx context.Context, cfg Config) (task.Store, error) { return driver.Open(ctx, cfg) }

// Register makes a store available under a name. A store's own package calls driver.Register instead, because this one
// imports it.
func Register(name string, open OpenFunc) { driver.Register(name, open) }

// Names lists the stores of this build in alphabetical order.
func Names() []string { return driver.Names() }
