// Command sweeper is the Lambda function that a schedule and the dead letter queue invoke: it keeps tasks from being
// lost or stuck.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/sweeper"
)

func main() {
	ctx := context.Background()
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
	tasks, err := store.Open(ctx, cfg.Storage)
	if err != nil {
		exit(err)
	}
	taskQueue, err := queue.Open(ctx, cfg.Task.QueueURL)
	if err != nil {
		exit(err)
	}
	s := sweeper.New(tasks, taskQueue, log.Logger, sweeper.Config{
		MaxAttempts: cfg.Task.MaxAttempts, Retention: time.Duration(cfg.Task.RetentionDays) * 24 * time.Hour,
	})
	lambda.StartWithOptions(log.Wrap(s.Handle), lambda.WithEnableSIGTERM(log.End))
}

func exit(err error) {
	slog.Error("function sweeper cannot start", "error", err)
	os.Exit(1)
}
