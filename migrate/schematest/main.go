// Command schematest gives tests servers with this build's schemas: Postgres, ClickHouse, and files of the internal
// store. Package testserver of shared starts it and calls it by JSON-RPC over stdin and stdout. When its stdin ends, it
// ends all servers.
package main

import (
	"errors"
	"io"
	"log/slog"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A terminal's Ctrl-C reaches the tests as well. They end, and their end closes stdin, so the folders here get
	// removed.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if err := serve(stdio{os.Stdin, os.Stdout}); err != nil {
		slog.Error("test servers cannot be ended", "error", err)
		os.Exit(1)
	}
}

// stdio is the connection to the tests.
type stdio struct {
	io.ReadCloser
	io.Writer
}

// serve answers calls until conn ends, and then ends the servers.
func serve(conn io.ReadWriteCloser) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	postgres, clickhouse := &Postgres{machine: m}, &ClickHouse{machine: m}
	calls := rpc.NewServer()
	err = errors.Join(calls.Register(postgres), calls.Register(clickhouse), calls.Register(SQLite{}))
	if err == nil {
		calls.ServeCodec(jsonrpc.NewServerCodec(conn))
	}
	return errors.Join(err, postgres.close(), clickhouse.close(), m.close())
}
