// Command worker is the Lambda function that the task queue's event source mapping invokes: it runs the jobs.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"ksu/shared/job"
	"ksu/shared/job/iowork"
	"ksu/shared/logging"
	"ksu/shared/runner"
	"ksu/shared/store"
)

func main() {
	log, err := logging.New(os.Stdout, os.Getenv("LOG_LEVEL"))
	if err != nil {
		exit(err)
	}
	work, err := job.New(iowork.Name, os.Getenv)
	if err != nil {
		exit(err)
	}
	tasks, err := store.Open(context.Background(), store.Config{Type: "postgres", DatabaseURL: os.Getenv("DATABASE_URL")})
	if err != nil {
		exit(err)
	}
	lambda.Start(runner.New(tasks, work, log, runner.Config{}).Handle)
}

func exit(err error) {
	slog.Error("function worker cannot start", "error", err)
	os.Exit(1)
}
