// Command contract checks a REST API at a base URL over plain HTTP: its contract and the life of a task. It runs
// against `make run`, `sam local start-api`, LocalStack and a deployed stack:
//
//	go run ./localstack/contract -url http://127.0.0.1:8080
//
// It prints one line per check: ok, FAIL, skip, or differs (a known difference of the platform, see platform.go). It
// exits with 1 if a check failed. It deletes the tasks that it created and leaves other tasks alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	// url is the API's base URL, with the stage if there is one.
	url string
	// key is sent as x-api-key. "" sends no key, and skips the check that the API requires one.
	key string
	// wait is how long to wait for a task's ending; 0 skips checks that need an ending.
	wait time.Duration
	// tasks is how many tasks fill the semaphore; 0 skips checks that need a waiting task.
	tasks int
}

func parse(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("contract", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong; the list of all flags would hide it
	flags.StringVar(&o.url, "url", "", "base URL of the API, such as http://127.0.0.1:8080")
	flags.StringVar(&o.key, "api-key", os.Getenv("API_KEY"), "value of the API key (API_KEY)")
	flags.DurationVar(&o.wait, "wait", 12*time.Minute, "longest wait for a task's ending; 0 skips what needs one")
	flags.IntVar(&o.tasks, "tasks", 24, "tasks that fill the semaphore; 0 skips what needs a waiting task")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(output)
			flags.Usage()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q; run with -help for the flags", flags.Arg(0))
	}
	if u, err := url.Parse(o.url); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return o, fmt.Errorf("-url is %q; it must be the API's base URL, such as http://127.0.0.1:8080", o.url)
	}
	if o.wait < 0 || o.tasks < 0 {
		return o, errors.New("-wait and -tasks must not be negative")
	}
	o.url = strings.TrimRight(o.url, "/")
	return o, nil
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(1)
	}
}
