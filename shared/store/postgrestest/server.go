package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// server finds or starts the server and returns its URL, and how to end it if it is ours.
func server() (string, func() error, error) {
	if url := os.Getenv("TEST_DATABASE_URL"); url != "" {
		return url, nil, nil
	}
	dir, err := os.MkdirTemp("", "postgrestest")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for Postgres: %w", err)
	}
	processes, err := process.Start()
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Options{
		Dir: dir, Processes: processes, Database: "test",
		// The data ends with the tests, and each opened store has two connections.
		Settings: map[string]string{"fsync": "off", "max_connections": "300"},
	})
	if err != nil {
		return "", nil, errors.Join(err, processes.Close(), os.RemoveAll(dir))
	}
	return server.URL(), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return errors.Join(server.Close(ctx), processes.Close(), os.RemoveAll(dir))
	}, nil
}
