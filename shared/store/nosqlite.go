//go:build nosqlite

package store

import (
	"context"
	"errors"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/task"
)

// openInternal fails: Lambda builds omit the internal store, since no two functions share a file.
func openInternal(context.Context, config.Storage) (task.Store, error) {
	return nil, errors.New(`storage.type is "internal"; this build supports postgres only`)
}
