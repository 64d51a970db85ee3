package clickhouse

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/services/run/runtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options returns options for a server in a folder of the test.
func options(t *testing.T) Options {
	t.Helper()
	return Options{Dir: runtest.Dir(t), Processes: runtest.NewProcesses(t), Log: runtest.Log(t)}
}

// startServer starts a server that the end of the test closes.
func startServer(t *testing.T, o Options) *Server {
	t.Helper()
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeServer(t, c) })
	return c
}

func closeServer(t *testing.T, c *Server) {
	t.Helper()
	if err := c.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// ask runs statements, of which the last one answers with a text.
func ask(c *Server, password string, statements ...string) (answer string, err error) {
	db := ch.OpenDB(&ch.Options{Addr: []string{c.Address()}, Auth: ch.Auth{Database: c.Database(), Username: c.Username(), Password: password}})
	defer db.Close()
	last := len(statements) - 1
	for _, s := range statements[:last] {
		if _, err := db.Exec(s); err != nil {
			return "", err
		}
	}
	err = db.QueryRow(statements[last]).Scan(&answer)
	return answer, err
}

func TestServerKeepsItsData(t *testing.T) {
	t.Parallel()
	o := options(t)
	c := startServer(t, o)
	if _, err := ask(c, c.Password(), "CREATE TABLE kept ENGINE = MergeTree ORDER BY word AS SELECT 'still here' AS word", "SELECT 'done'"); err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"", "guess"} {
		if _, err := ask(c, password, "SELECT 'in'"); !errors.As(err, new(*ch.Exception)) {
			t.Errorf("the password %q: %v, want a refusal", password, err)
		}
	}
	closeServer(t, c)
	closeServer(t, c) // no effect
	if err := c.Err(); err != nil {
		t.Errorf("after a clean end Err is %v", err)
	}
	again := startServer(t, o)
	if got, err := ask(again, again.Password(), "SELECT word FROM kept"); err != nil || got != "still here" {
		t.Errorf("after a restart the table has %q, %v", got, err)
	}
	if !strings.HasPrefix(again.What(), "ClickHouse "+again.version+" from /") || again.version == "" {
		t.Errorf("What is %q", again.What())
	}
	for name, want := range map[string]os.FileMode{"": 0o700, configName: 0o600, usersName: 0o600, dataName: 0o700} {
		info, err := os.Stat(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("the mode of %q is %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

func TestServerReportsItsEnd(t *testing.T) {
	t.Parallel()
	c := startServer(t, options(t))
	if err := syscall.Kill(c.program.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "clickhouse-server ended") {
		t.Errorf("after a kill Err is %v", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	o := options(t)
	if err := os.MkdirAll(filepath.Join(o.Dir, dataName), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, dataName, "metadata"), nil, 0o600); err != nil { // where a folder must be
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "its last lines") {
		t.Errorf("error %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(gone, options(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	if path, err := find([]string{"no-such-program", t.TempDir()}); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("found %q, %v", path, err)
	}
}
