// Command sweeper is the Lambda function that a schedule and the dead letter queue invoke: it keeps tasks from being
// lost or stuck.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"ksu/shared/logging"
	"ksu/shared/queue"
	"ksu/shared/store"
	"ksu/shared/sweeper"
)

func main() {
	ctx := context.Background()
	log, err := logging.New(os.Stdout, os.Getenv("LOG_LEVEL"))
	if err != nil {
		exit(err)
	}
	attempts, days, err := limits()
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
	config := sweeper.Config{MaxAttempts: attempts, Retention: time.Duration(days) * 24 * time.Hour}
	lambda.Start(sweeper.New(tasks, taskQueue, log, config).Handle)
}

func limits() (attempts, days int, err error) {
	for name, n := range map[string]*int{"MAX_ATTEMPTS": &attempts, "RETENTION_DAYS": &days} {
		if value := os.Getenv(name); value != "" {
			if *n, err = strconv.Atoi(value); err != nil || *n < 1 {
				return 0, 0, fmt.Errorf("%s is %q; allowed are whole numbers from 1", name, value)
			}
		}
	}
	return attempts, days, nil
}

func exit(err error) {
	slog.Error("function sweeper cannot start", "error", err)
	os.Exit(1)
}
