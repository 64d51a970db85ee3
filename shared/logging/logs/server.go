package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/eragon-mdi/ksu/shared/config"
)

// server returns the connection options: the configuration's server, else that in the data folder of the local stack.
func server(env func(string) string, data string) (*ch.Options, error) {
	cfg, err := config.Read(env)
	if err != nil {
		return nil, err
	}
	if c := cfg.ClickHouse; c.Address != "" {
		options := &ch.Options{
			Addr: strings.Split(c.Address, ","),
			Auth: ch.Auth{Database: c.Database, Username: c.Username, Password: string(c.Password)},
		}
		if c.Secure {
			options.TLS = &tls.Config{}
		}
		return options, nil
	}
	path := filepath.Join(data, "clickhouse.url")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no local stack with ClickHouse runs here (there is no %s): start it with make run CLICKHOUSE=auto, "+
			"or name a server in CLICKHOUSE_ADDRESS; without ClickHouse, the lines are only in the terminal of make run", path)
	}
	if err != nil {
		return nil, fmt.Errorf("find ClickHouse: %w", err)
	}
	options, err := ch.ParseDSN(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL of ClickHouse", path) // the error could show the password
	}
	return options, nil
}
