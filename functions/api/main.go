// Command api is the Lambda function behind API Gateway: it writes tasks to the store and sends them to SQS.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/httpapi"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
	"github.com/eragon-mdi/ksu/shared/queue"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/task"
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
	service := task.NewService(tasks, taskQueue, log.Logger)
	handler := httpapi.Lambda(httpapi.New(service, log.Logger), log.Logger)
	lambda.StartWithOptions(log.Wrap(handler), lambda.WithEnableSIGTERM(log.End))
}

func exit(err error) {
	slog.Error("function api cannot start", "error", err)
	os.Exit(1)
}
