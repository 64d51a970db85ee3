// Command logs prints the functions' log lines from ClickHouse, one JSON object a line. It prints all lines of one task
// in order, or follows new lines of all functions. The server is that of CLICKHOUSE_ADDRESS and the other variables,
// else that of the local stack that runs with the data folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "logs:", err)
		os.Exit(1)
	}
}

// run is the command. Without a task it returns when ctx ends. Log lines go to out, all other messages to notes.
func run(ctx context.Context, args []string, env func(string) string, out, notes io.Writer) error {
	flags := flag.NewFlagSet("logs", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong; the list of all flags would hide it
	data := flags.String("data", ".local", "the local stack's data folder, which says where its ClickHouse is")
	task := flags.String("task", "", "print all lines of the task with this id, instead of new lines of all functions")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(notes)
			flags.Usage()
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; run with --help for the flags", flags.Arg(0))
	}
	var id uuid.UUID
	if *task != "" {
		var err error
		if id, err = uuid.Parse(*task); err != nil {
			return fmt.Errorf("task is %q; it must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057", *task)
		}
	}
	r := &reader{
		server: func() (*ch.Options, error) { return server(env, *data) },
		out:    out, notes: notes,
	}
	defer r.close()
	if err := r.connect(); err != nil {
		return err
	}
	if *task != "" {
		return r.story(ctx, id)
	}
	return r.follow(ctx)
}
