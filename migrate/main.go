// Command migrate brings the schemas to the version that this build needs: the tasks' in Postgres, and the logs' in
// ClickHouse where that is configured. From a shell it is a CLI (go run ./migrate up); started by Lambda it is the function
// behind the template's custom resources, which run on every deployment that changes their schema.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"

	"ksu/migrate/schema"
	"ksu/shared/config"
)

func main() {
	cfg, err := config.Load()
	if err != nil {
		exit(err)
	}
	t := targets{tasks: schema.Postgres(cfg.Storage.URL())}
	if cfg.ClickHouse.Address != "" {
		t.logs = schema.Logs(cfg.ClickHouse)
	}
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(cfn.LambdaWrap(resource{t}.handle))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], t, os.Stdout); err != nil {
		exit(err)
	}
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "migrate:", err)
	os.Exit(1)
}
