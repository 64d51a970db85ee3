// Command worker is the Lambda function that the task queue's event source mapping invokes: it runs the jobs.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/job/jobs"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
	"github.com/eragon-mdi/ksu/shared/runner"
	"github.com/eragon-mdi/ksu/shared/store"
)

func main() {
	if err := profiling.Serve(); err != nil {
		exit(err)
	}
	cfg, err := config.Load()
	if err != nil {
		exit(err)
	}
	log, err := logging.Configure(cfg)
	if err != nil {
		exit(err)
	}
	work, _ := jobs.New(cfg).Lookup(jobs.Default)
	// Each job has its heartbeat, and none waits for another's ending.
	cfg.Storage.MaxConnections = cfg.App.JobsPerInvocation + 1
	tasks, err := store.Open(context.Background(), cfg.Storage)
	if err != nil {
		exit(err)
	}
	r := runner.New(tasks, work, log.Logger, runner.Config{MaxAttempts: cfg.Task.MaxAttempts})
	// A SIGTERM handler makes Lambda announce the end of the environment, and the task is given back in time.
	lambda.StartWithOptions(log.Wrap(r.Handle), lambda.WithEnableSIGTERM(r.Stop, log.End))
}

func exit(err error) {
	slog.Error("function worker cannot start", "error", err)
	os.Exit(1)
}
