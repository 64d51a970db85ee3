// Package postgres embeds the migrations of the Postgres schema.
//
// Each NNNNNN_name.up.sql has a .down.sql that reverts it. Postgres runs a file as one transaction. An up file must be
// repeatable (IF NOT EXISTS and the like). If a migration was cut off, nobody knows whether it was committed, and the
// next Up runs it again.
package postgres

import "embed"

// Files are the migrations, at the root of the file system.
//
//go:embed *.sql
var Files embed.FS
