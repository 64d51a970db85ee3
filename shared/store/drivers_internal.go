//go:build !nosqlite

package store

// The embedded store is left out of the functions that are built for Lambda, where no two share a file.
import (
	_ "github.com/eragon-mdi/ksu/shared/store/sqlite"
)
