// Package store opens the store that the configuration names.
package store

import (
	"context"
	"fmt"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Open opens the store of cfg.Type, which the caller closes. It succeeds if the server or the file cannot be reached now:
// the store's methods then return task.ErrUnavailable until it can be. It fails if the type is not built in, and if the
// server refuses for good, as for a wrong password.
func Open(ctx context.Context, cfg config.Storage) (task.Store, error) {
	switch cfg.Type {
	case "postgres":
		return opened(postgres.Open(ctx, cfg))
	case "internal":
		return openInternal(ctx, cfg)
	default:
		return nil, fmt.Errorf("storage.type is %q; allowed are postgres, internal", cfg.Type)
	}
}

// opened makes an interface of a store: a nil pointer in it would not be nil.
func opened[S task.Store](s S, err error) (task.Store, error) {
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return s, nil
}
