//go:build !nosqlite

package store

import (
	"context"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/sqlite"
	"github.com/eragon-mdi/ksu/shared/task"
)

func openInternal(ctx context.Context, cfg config.Storage) (task.Store, error) {
	return opened(sqlite.Open(ctx, cfg.Path))
}
