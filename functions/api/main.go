// Command api is the Lambda function behind API Gateway: it writes tasks to the store and sends them to SQS.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"ksu/shared/httpapi"
	"ksu/shared/logging"
	"ksu/shared/queue"
	"ksu/shared/store"
	"ksu/shared/task"
)

func main() {
	ctx := context.Background()
	log, err := logging.New(os.Stdout, os.Getenv("LOG_LEVEL"))
	if err != nil {
		exit(err)
	}
	tasks, err := store.Open(ctx, store.Config{Type: "postgres", DatabaseURL: os.Getenv("DATABASE_URL")})
	if err != nil {
		exit(err)
	}
	taskQueue, err := queue.Open(ctx, os.Getenv("TASK_QUEUE_URL"))
	if err != nil {
		exit(err)
	}
	service := task.NewService(tasks, taskQueue, log)
	lambda.Start(httpapi.Lambda(httpapi.New(service, log), log))
}

func exit(err error) {
	slog.Error("function api cannot start", "error", err)
	os.Exit(1)
}
