package provide

import (
	"context"
	"errors"
	"net"
	"net/url"

	"github.com/eragon-mdi/ksu/localstack/services/clickhouse"
)

// clickHouse is the service clickhouse.
type clickHouse struct{}

func (clickHouse) title() string       { return "ClickHouse" }
func (clickHouse) hasData(string) bool { return false } // no substitute has data of its own
func (clickHouse) essential() bool     { return false }

// parse reads host:port. The application speaks to such a server without TLS.
func (clickHouse) parse(address string) (map[string]string, string, error) {
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		return nil, address, errors.New("it must be the host:port of a server's native protocol")
	}
	return map[string]string{"Address": address, "Secure": "false"}, address, nil
}

// wait does not wait: the application must work while ClickHouse is unreachable.
func (clickHouse) wait(context.Context, string, Tools) error { return nil }

func (clickHouse) url(value func(string) string) string {
	u := url.URL{
		Scheme: "clickhouse", Host: value("Address"), Path: "/" + value("Database"),
		User: url.UserPassword(value("Username"), value("Password")),
	}
	if secure := value("Secure"); secure != "" {
		u.RawQuery = url.Values{"secure": {secure}}.Encode()
	}
	return u.String()
}

func (clickHouse) reserve(dir, _ string) (private, error) {
	reserved, err := clickhouse.Reserve(clickhouse.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	return privateClickHouse{reserved}, nil
}

type privateClickHouse struct{ *clickhouse.Reserved }

func (c privateClickHouse) release() { c.Release() }

func (c privateClickHouse) values() map[string]string {
	return map[string]string{
		"Address": c.Address(), "Username": c.Username(), "Password": c.Password(), "Database": c.Database(), "Secure": "false",
	}
}

func (c privateClickHouse) start(ctx context.Context, tools Tools) (r running, err error) {
	err = tools.Timed("start ClickHouse", func() error {
		server, err := c.Start(ctx, tools.Processes, func(line string) { tools.Log("clickhouse", line) })
		if err == nil {
			r = server
		}
		return err
	})
	return r, err
}
