// Package sqlite embeds the migrations of the internal store's schema. They follow those of Postgres number by number,
// and by the same rules; SQLite too runs a file as one transaction.
package sqlite

import "embed"

// Files are the migrations, at the root of the file system.
//
//go:embed *.sql
var Files embed.FS
