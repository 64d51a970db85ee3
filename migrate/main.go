// Command migrate brings the Postgres schema to the version that this build needs. From a shell it is a CLI
// (go run ./migrate up); started by Lambda it is the function behind the template's custom resource, which runs on
// every deployment that changes the schema. DATABASE_URL names the database.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(cfn.LambdaWrap(resource{url: os.Getenv("DATABASE_URL")}.handle))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv("DATABASE_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}
