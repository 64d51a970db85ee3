// Package app is the start of a function: profiling, configuration, log, store, queue, and the end. The main program of
// each function is a call of Run.
package app

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/task"
)

// App is a function that starts.
type App struct {
	// Config may be changed before Store and Queue are called.
	Config *config.Config
	Log    *logging.Logger

	ends   []func()
	stores []task.Store
}

// Run starts the function with the given name and serves its invocations for as long as the process lives. build returns
// the handler, which may be anything that lambda.Start takes. Run ends the process with status 1, and a log line, if the
// function cannot start.
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
	// A SIGTERM handler makes Lambda announce the end of the environment: tasks are given back, the store is closed and lines
	// are sent in time.
	return log.Wrap(handler), []lambda.Option{lambda.WithEnableSIGTERM(append(a.ends, a.closeStores, log.End)...)}, nil
}

// Store opens the store of the configuration. It lives as long as the process, and is closed after all that AtEnd was given.
func (a *App) Store(ctx context.Context) (task.Store, error) {
	s, err := store.Open(ctx, a.Config.Storage)
	if err != nil {
		return nil, err
	}
	a.stores = append(a.stores, s)
	return s, nil
}

// closeStores closes the stores: the server gets its connections back, and the last process that closes the file of the
// internal store leaves all data in it.
func (a *App) closeStores() {
	for _, s := range a.stores {
		s.Close()
	}
}

// Queue opens the queue of the configuration.
func (a *App) Queue(ctx context.Context) (*queue.SQS, error) {
	return queue.Open(ctx, a.Config.Task.QueueURL)
}

// AtEnd has end called when Lambda announces the end of the environment, before the log's last lines are sent.
func (a *App) AtEnd(end func()) { a.ends = append(a.ends, end) }
