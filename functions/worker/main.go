// Command worker is the Lambda function that the task queue's event source mapping invokes: it runs the jobs.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"

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
	attempts, err := maxAttempts()
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
	r := runner.New(tasks, work, log, runner.Config{MaxAttempts: attempts})
	// A SIGTERM handler makes Lambda announce the end of the environment, and the task is given back in time.
	lambda.StartWithOptions(r.Handle, lambda.WithEnableSIGTERM(func() {
		r.Stop()
		os.Exit(0)
	}))
}

// maxAttempts reads MAX_ATTEMPTS; 0, when it is unset, is the runner's default.
func maxAttempts() (int, error) {
	value := os.Getenv("MAX_ATTEMPTS")
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("MAX_ATTEMPTS is %q; allowed are whole numbers from 1", value)
	}
	return n, nil
}

func exit(err error) {
	slog.Error("function worker cannot start", "error", err)
	os.Exit(1)
}
