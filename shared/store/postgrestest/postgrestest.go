// Package postgrestest gives every test a fresh, migrated Postgres database of its own. The server is the one that
// TEST_DATABASE_URL names (a URL whose user may create databases), else a private one that is started from installed
// binaries for the test binary, with fsync off, and ends with it.
package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"ksu/migrate/schema"
)

// patience bounds each step on the server; a busy machine needs seconds for some.
const patience = time.Minute

// Main runs a package's tests, ends the server if one was started and checks for leaked goroutines. It is the body of a
// package's TestMain.
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(runner{m}, options...)
}

type runner struct{ m *testing.M }

func (r runner) Run() int {
	code := r.m.Run()
	if err := theServer.stop(); err != nil {
		fmt.Println("postgrestest:", err)
		return max(code, 1)
	}
	return code
}

// New returns the URL of a new database with the newest schema. It is dropped when the test ends, with whatever is
// still connected.
func New(t testing.TB) string {
	t.Helper()
	return theServer.clone(t, true)
}

// Empty is New without the schema.
func Empty(t testing.TB) string {
	t.Helper()
	return theServer.clone(t, false)
}

var theServer server

// server is the one server of a test binary.
type server struct {
	start    sync.Once
	err      error
	admin    string       // URL of the database from which others are made
	template string       // a migrated database, which Postgres copies faster than it migrates
	close    func() error // nil for a server that is not ours
}

func (s *server) clone(t testing.TB, migrated bool) string {
	t.Helper()
	s.start.Do(s.open)
	if s.err != nil {
		t.Fatalf("no Postgres for the test: %v", s.err)
	}
	name, template := newName(), "template0"
	if migrated {
		template = s.template
	}
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	address, err := withDatabase(s.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (s *server) open() {
	if s.admin, s.close, s.err = address(); s.err != nil {
		return
	}
	s.template = newName()
	if s.err = s.exec("CREATE DATABASE " + s.template + " TEMPLATE template0"); s.err != nil {
		return
	}
	var template string
	if template, s.err = withDatabase(s.admin, s.template); s.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, s.err = schema.Up(ctx, template)
}

func (s *server) stop() error {
	switch {
	case s.close != nil:
		return s.close()
	case s.template != "":
		return s.exec("DROP DATABASE IF EXISTS " + s.template + " WITH (FORCE)")
	}
	return nil
}

// exec runs one statement on a connection of its own: CREATE DATABASE takes no part in transactions.
func (s *server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the statement's own error says more
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func newName() string { return "test_" + strings.ReplaceAll(uuid.NewString(), "-", "") }

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("TEST_DATABASE_URL must be a URL, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	u.Path = "/" + name
	return u.String(), nil
}
