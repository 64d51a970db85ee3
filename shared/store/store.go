// Package store opens the store that the configuration names.
package store

import (
	"context"
	"fmt"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/task"
)

// Open opens the store of cfg.Type. The caller closes it. Open succeeds if the server or the file is unreachable: the
// store's methods then return task.ErrUnavailable. It fails if the type is not built in, and for a permanent refusal,
// such as a wrong password.
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

// opened turns a store into an interface that is nil if the store is.
func opened[S task.Store](s S, err error) (task.Store, error) {
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return s, nil
}
