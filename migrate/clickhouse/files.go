// Package clickhouse holds the schema of the logs in ClickHouse: the migrations, embedded, and what depends on the
// server's version, which plain SQL files cannot say.
//
// Run the files with golang-migrate's driver and x-multi-statement=true, then Finish, on every deployment. ClickHouse
// has no transactions: an up file must be repeatable (IF NOT EXISTS and the like). The driver cuts the files at every
// semicolon, also at those in comments.
package clickhouse

import "embed"

// Files are the migrations, at the root of the file system.
//
//go:embed *.sql
var Files embed.FS
