package postgrestest

import (
	"errors"
	"os"
)

// address finds or starts the server and returns its URL, and how to end it if it is ours.
func address() (string, func() error, error) {
	if url := os.Getenv("TEST_DATABASE_URL"); url != "" {
		return url, nil, nil
	}
	return "", nil, errors.New("TEST_DATABASE_URL is not set")
}
