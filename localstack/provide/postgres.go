package provide

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// postgreSQL is the service postgres.
type postgreSQL struct{}

func (postgreSQL) title() string           { return "Postgres" }
func (postgreSQL) hasData(dir string) bool { return postgres.HasData(dir) }
func (postgreSQL) essential() bool         { return true }

// parse reads the URL of a server. The text for the user has no password.
func (postgreSQL) parse(address string) (map[string]string, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, "(not a URL of Postgres)", errors.New("it must be a URL such as postgres://user:password@host:5432/database")
	}
	shown := *u
	shown.RawQuery = ""
	if _, err := postgres.AddressOf(address); err != nil {
		return nil, shown.Redacted(), err
	}
	return urlValues(u), shown.Redacted(), nil
}

// defaultPort is the port of Postgres.
const defaultPort = "5432"

// urlValues returns the values of a service at a URL.
func urlValues(u *url.URL) map[string]string {
	password, _ := u.User.Password()
	return map[string]string{
		"Url": u.String(), "Host": u.Hostname(), "Port": cmp.Or(u.Port(), defaultPort), "Username": u.User.Username(), "Password": password,
		"Database": strings.TrimPrefix(u.Path, "/"),
	}
}

// wait waits until a server accepts connections, so that the user sees the reason for a wait, and a single error.
func (postgreSQL) wait(ctx context.Context, address string, tools Tools) error {
	a, err := postgres.AddressOf(address)
	if err != nil {
		return err
	}
	return tools.Timed(fmt.Sprintf("wait for Postgres at %s, at most %s", a, patience), func() error { return a.Reach(ctx, patience) })
}

func (postgreSQL) reserve(dir, name string) (private, error) {
	reserved, err := postgres.Reserve(postgres.Options{Dir: dir, Database: name})
	if err != nil {
		return nil, err
	}
	return privatePostgres{reserved}, nil
}

func (postgreSQL) url(value func(string) string) string {
	if whole := value("Url"); whole != "" {
		return whole
	}
	u := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(value("Host"), cmp.Or(value("Port"), defaultPort)), Path: "/" + value("Database"),
		User: url.UserPassword(value("Username"), value("Password")),
	}
	return u.String()
}

type privatePostgres struct{ *postgres.Reserved }

func (p privatePostgres) release() { p.Release() }

func (p privatePostgres) values() map[string]string {
	u, err := url.Parse(p.URL())
	if err != nil {
		panic(err) // package postgres makes valid URLs
	}
	return urlValues(u)
}

func (p privatePostgres) start(ctx context.Context, tools Tools) (r running, err error) {
	err = tools.Timed("start Postgres", func() error {
		server, err := p.Start(ctx, tools.Processes, func(line string) { tools.Log("postgres", line) })
		if err == nil {
			r = server
		}
		return err
	})
	return r, err
}
