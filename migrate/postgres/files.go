// Package postgres embeds the migrations of the Postgres schema, so that whatever runs them needs no files.
//
// Each NNNNNN_name.up.sql has a .down.sql that takes it back. Postgres runs a file as one transaction. An up file must
// be repeatable (IF NOT EXISTS and the like): one that was cut off, after which nobody knows whether it was committed,
// is simply run again.
package postgres

import "embed"

// Files are the migrations, at the root of the file system.
//
//go:embed *.sql
var Files embed.FS
