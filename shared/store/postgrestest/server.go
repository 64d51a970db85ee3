package postgrestest

import (
	"errors"
	"os"
)

// server finds or starts the server and returns its URL, and how to end it if it is ours.
func server() (string, func() error, error) {
	if url := os.Getenv("TEST_DATABASE_URL"); url != "" {
		return url, nil, nil
	}
	return "", nil, errors.New("TEST_DATABASE_URL is not set")
}
