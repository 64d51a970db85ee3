// Package postgrestest gives every test a Postgres database of its own: a schema of one server's database, since making
// a schema takes milliseconds and making a database a quarter of a second. The server is the one that TEST_DATABASE_URL
// names (its user must be allowed to create schemas), else a private one that is started from installed binaries for
// the test binary and ends with it.
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

	"github.com/eragon-mdi/ksu/migrate/schema"
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
	if err := Stop(); err != nil {
		fmt.Println("postgrestest:", err)
		return max(code, 1)
	}
	return code
}

// Stop ends the server if one was started, for a TestMain that has more to do than Main. No test may follow.
func Stop() error {
	if shared.stop == nil {
		return nil
	}
	return shared.stop()
}

// New returns the URL of a new database with the newest schema. It is dropped when the test ends.
func New(t testing.TB) string {
	t.Helper()
	address := Empty(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := schema.Up(ctx, address); err != nil {
		t.Fatal(err)
	}
	return address
}

// Empty is New without tables.
func Empty(t testing.TB) string {
	t.Helper()
	shared.start.Do(func() { shared.url, shared.stop, shared.err = server() })
	if shared.err != nil {
		t.Fatalf("no Postgres for the test, for which TEST_DATABASE_URL may name a server: %v", shared.err)
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	address, err := within(shared.url, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return address
}

// shared is the one server of a test binary.
var shared struct {
	start sync.Once
	err   error
	url   string
	stop  func() error // nil for a server that is not ours
}

func exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, shared.url)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the statement's own error says more
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// within is a URL by which all names are those of one schema. It says so as every client understands, psql too.
func within(server, schema string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("TEST_DATABASE_URL must be a URL, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	query := u.Query()
	query.Set("options", "-csearch_path="+schema)
	u.RawQuery = query.Encode()
	return u.String(), nil
}
