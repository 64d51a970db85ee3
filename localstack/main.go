// Command localstack runs a SAM template on this machine: its functions as real processes, with its queues, mappings,
// schedules and REST API. It needs no Docker and no AWS account. README.md beside this file lists what is emulated and
// what is not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/stack"
)

func main() {
	options, err := stack.ParseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil && options.Version {
		fmt.Println("localstack", version())
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		err = stack.Run(ctx, options, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, console.Clean("localstack: "+err.Error())) // the error may quote a function
		os.Exit(1)
	}
}

// version returns the version of the program's module, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && version == "(devel)" {
			version = "(devel) " + setting.Value
		}
	}
	return version
}
