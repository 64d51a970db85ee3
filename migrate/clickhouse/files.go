// Package clickhouse embeds the migrations of the logs in ClickHouse. It also has the statements that depend on the
// server's version, which plain SQL files cannot express.
//
// Run the files with golang-migrate's driver and x-multi-statement=true, then Finish, on every deployment. ClickHouse
// has no transactions, so an up file must be repeatable (IF NOT EXISTS and the like). The driver cuts the files at
// every semicolon, even in comments.
package clickhouse

import "embed"

// Files are the migrations, at the root of the file system.
//
//go:embed *.sql
var Files embed.FS
