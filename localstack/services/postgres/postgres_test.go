package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/localstack/services/run/runtest"
)

func TestServerKeepsItsData(t *testing.T) {
	t.Parallel()
	o := options(t)
	p := startServer(t, o)
	query(t, p.URL(), "CREATE TABLE kept AS SELECT 'still here' AS word")
	closeServer(t, p)
	closeServer(t, p) // no effect
	if err := p.Err(); err != nil {
		t.Errorf("after a clean end Err is %v", err)
	}

	again := startServer(t, o)
	if got := query(t, again.URL(), "SELECT word FROM kept"); got != "still here" {
		t.Errorf("after a restart the table has %q", got)
	}
	if want := "PostgreSQL " + again.version + " from /"; !strings.HasPrefix(again.What(), want) {
		t.Errorf("What is %q, want a text that starts with %q", again.What(), want)
	}
	for setting, want := range map[string]string{"synchronous_commit": "on", "fsync": "off", "max_connections": "1000",
		"unix_socket_directories": "", "listen_addresses": "127.0.0.1", "server_encoding": "UTF8"} {
		if got := query(t, again.URL(), "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query(t, again.URL(), "SELECT current_database()"); got != "postgres" {
		t.Errorf("the database is %q, want postgres", got)
	}
}

func TestServerAdmitsNobodyWithoutThePassword(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Database = `odd "name"`
	p := startServer(t, o)
	u, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []*url.Userinfo{url.User(superuser), url.UserPassword(superuser, "guess")} {
		u.User = user
		conn, err := pgx.Connect(t.Context(), u.String())
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "28P01" {
			t.Errorf("connecting as %s: %v, want a refusal", user, err)
		}
		if err == nil {
			_ = conn.Close(t.Context())
		}
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "password": 0o600, "data": 0o700} {
		info, err := os.Stat(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("the mode of %q is %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

func TestServerRecoversFromACrash(t *testing.T) {
	t.Parallel()
	o := options(t)
	p := startServer(t, o)
	query(t, p.URL(), "CREATE TABLE kept AS SELECT 'still here' AS word")
	if err := syscall.Kill(pidOf(t, o.Dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("after a crash Err is %v", err)
	}
	closeServer(t, p)
	again := startServer(t, o)
	if got := query(t, again.URL(), "SELECT word FROM kept"); got != "still here" {
		t.Errorf("after a crash the table has %q", got)
	}
	closeServer(t, again)

	// Another process has the number of the server that crashed.
	stranger := exec.Command("/bin/sleep", "300")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	stale := fmt.Sprintf("%d\n%s\n", stranger.Process.Pid, o.Dir)
	if err := os.WriteFile(filepath.Join(o.Dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	startServer(t, o)
}

func TestStartWaitsForAFormerServer(t *testing.T) {
	t.Parallel()
	o := options(t)
	startServer(t, o) // of a local stack that died and whose watchdog has not ended it yet
	pid := pidOf(t, o.Dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("with a former server alive and the context at its end: %v", err)
	}
	started := make(chan error, 1)
	go func() {
		p, err := Start(t.Context(), o)
		if err == nil {
			err = p.Close(context.Background())
		}
		started <- err
	}()
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	o := options(t)
	p := startServer(t, o)
	closeServer(t, p)

	bad := o
	bad.Settings = map[string]string{"max_connections": "many"}
	_, err := Start(t.Context(), bad)
	wantError(t, err, "postgres ended", `invalid value for parameter "max_connections": "many"`)

	password := filepath.Join(o.Dir, "password")
	if err := os.Rename(password, password+".away"); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), o)
	wantError(t, err, password, "missing")

	if err := os.WriteFile(filepath.Join(o.Dir, "data", "PG_VERSION"), []byte("9.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), o)
	wantError(t, err, filepath.Join(o.Dir, "data"), "PostgreSQL 9.1", p.version, "another data folder with --data")
}

func TestStartInterruptedInItsFirstStart(t *testing.T) {
	t.Parallel()
	o := options(t)
	// The rest of an initdb that was killed together with its stack.
	if err := os.MkdirAll(filepath.Join(o.Dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, err := Start(ctx, o)
		result <- err
	}()
	if initdb := <-o.Processes.(*runtest.Processes).Started; !strings.HasSuffix(initdb.Path, "/initdb") {
		t.Fatalf("the first process is %s, want initdb", initdb)
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v, want %v", err, context.Canceled)
	}
	left, err := filepath.Glob(filepath.Join(o.Dir, "data*"))
	if err != nil || len(left) > 0 {
		t.Errorf("an interrupted start left %v (%v)", left, err)
	}
	startServer(t, o)
}

func TestCloseSucceedsInAnyCase(t *testing.T) {
	t.Parallel()
	o := options(t)
	p := startServer(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// A server that answers no signal: it cannot shut down fast, nor at once.
	if err := syscall.Kill(p.program.Pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.Close(ctx), "killed")
	startServer(t, o) // recovers, and takes over the killed server's shared memory
}
