// Package app starts a function: profiling, configuration, log, store, queue, and the end. The main program of each
// function calls Run.
package app

import (
	"context"
	"log/slog"
	"os"
	"slices"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/task"
)

// App is a starting function.
type App struct {
	// Config may be changed before Open is called.
	Config *config.Config
	Log    *logging.Logger

	ends, closes []func() // in the order of the calls at the end
}

// Run starts the function with the given name and serves its invocations until the process ends. build returns the
// handler, of any type that lambda.Start accepts. If the function cannot start, Run logs a line and exits with status
// 1.
func Run(name string, build func(context.Context, *App) (handler any, err error)) {
	handler, options, err := start(context.Background(), build)
	if err != nil {
		slog.Error("function cannot start", "name", name, "error", err)
		os.Exit(1)
	}
	lambda.StartWithOptions(handler, options...)
}

func start(ctx context.Context, build func(context.Context, *App) (any, error)) (lambda.Handler, []lambda.Option, error) {
	if err := profiling.Serve(); err != nil {
		return nil, nil, err
	}
	cfg, err := config.Load()
	if err != nil {
		return nil, nil, err
	}
	log, err := openLog(cfg)
	if err != nil {
		return nil, nil, err
	}
	a := &App{Config: cfg, Log: log}
	handler, err := build(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	// With a SIGTERM handler, Lambda announces the end of the environment. There is then time to give tasks back, to
	// close the store and to send log lines.
	return log.Wrap(handler), []lambda.Option{lambda.WithEnableSIGTERM(slices.Concat(a.ends, a.closes, []func(){log.End})...)}, nil
}

// Open opens the store and the queue of the configuration. The store is closed at the end of the process, after the
// functions of AtEnd. Open fails if either cannot be opened.
func (a *App) Open(ctx context.Context) (task.Store, *queue.SQS, error) {
	tasks, err := store.Open(ctx, a.Config.Storage)
	if err != nil {
		return nil, nil, err
	}
	permits, err := queue.Open(ctx, a.Config.Task.QueueURL)
	if err != nil {
		tasks.Close()
		return nil, nil, err
	}
	// The server gets its connections back, and the last process that closes the file of the internal store leaves all
	// data in it.
	a.closes = append(a.closes, tasks.Close)
	return tasks, permits, nil
}

// AtEnd registers a function to call when Lambda announces the end of the environment, before the log sends its last
// lines.
func (a *App) AtEnd(end func()) { a.ends = append(a.ends, end) }
