// Command migrate brings the schemas to the version of this build: tasks in Postgres or the internal store, and logs in
// ClickHouse if it is configured. From a shell it is a CLI (go run ./migrate up). On AWS it is the function behind the
// template's custom resources, which run on every deployment that changes their schema.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/logging"
	"github.com/eragon-mdi/ksu/shared/profiling"
)

func main() {
	if err := profiling.Serve(); err != nil {
		exit(err)
	}
	if inLambda() {
		if err := setLog(logging.Config{Source: true}); err != nil { // until the configuration is read
			exit(err)
		}
		lambda.Start(answer(handle))
		return
	}
	t, err := configured()
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], t, os.Stdout); err != nil {
		exit(err)
	}
}

// configured returns the databases of the configuration.
func configured() (targets, error) {
	cfg, err := config.Load()
	if err != nil {
		return targets{}, err
	}
	if inLambda() {
		if err := setLog(logging.Config{Handler: cfg.Logger.Handler, Level: cfg.Logger.Level, Source: cfg.Logger.Source}); err != nil {
			return targets{}, err
		}
	}
	for _, warning := range cfg.Warnings {
		slog.Warn(warning)
	}
	t := targets{leaveTasks: !cfg.Storage.NeedMigrate}
	if t.tasks, err = schema.ForFunctions(cfg); err != nil {
		return t, err
	}
	if cfg.ClickHouse.Address != "" {
		t.logs = schema.Logs(cfg.ClickHouse)
	}
	return t, nil
}

// setLog makes all lines those of a function. The lines go to stdout alone: ClickHouse's table may not exist yet.
func setLog(cfg logging.Config) error {
	log, err := logging.Open(cfg)
	if err == nil {
		slog.SetDefault(log.Logger)
	}
	return err
}

func inLambda() bool { return os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" }

func exit(err error) {
	fmt.Fprintln(os.Stderr, "migrate:", err)
	os.Exit(1)
}
