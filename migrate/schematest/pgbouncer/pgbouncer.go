// Package pgbouncer runs a pgbouncer in transaction mode in front of a Postgres, for tests.
package pgbouncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// searchPath is the option of a URL that chooses a schema. pgbouncer refuses options. Its connect_query takes their place.
const searchPath = "-csearch_path="

// patience is how long a pgbouncer may take to answer.
const patience = 30 * time.Second

// Start starts a pgbouncer in front of a database and returns the database's URL through it. It ends with the test.
//
// A search_path among the URL's options takes effect behind the pooler too. logins are further users with their passwords,
// beside the URL's own. settings are pgbouncer's own, such as "pool_size": "5". The pooler has two sessions of the server
// for each user, so that its clients share them.
func Start(t testing.TB, database string, logins map[string]string, settings map[string]string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	program, err := find()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(program, configure(t, u, port, logins, settings))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	end := start(t, cmd)
	host := u.Host
	u.Host, u.RawQuery = net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), "sslmode=disable"
	if err := answers(u.String()); err != nil {
		end()
		t.Fatalf("pgbouncer in front of %s: %v\n%s", host, err, &output)
	}
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("pgbouncer's output:\n%s", &output)
		}
	})
	return u.String()
}

// find looks where Debian puts pgbouncer as well, which is outside of an ordinary user's PATH.
func find() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("tests need pgbouncer, which is neither in PATH nor in /usr/sbin: apt-get install pgbouncer (Debian), brew install pgbouncer (macOS)")
}

// configure writes pgbouncer's files and returns the path of its configuration.
func configure(t testing.TB, database *url.URL, port int, logins, settings map[string]string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgbouncer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	var users, ini strings.Builder
	password, _ := database.User.Password()
	fmt.Fprintf(&users, "%q %q\n", database.User.Username(), password)
	for name, password := range logins {
		fmt.Fprintf(&users, "%q %q\n", name, password)
	}
	fmt.Fprintf(&ini, "[databases]\n* = host=%s port=%s", database.Hostname(), database.Port())
	if path, ok := strings.CutPrefix(database.Query().Get("options"), searchPath); ok {
		fmt.Fprintf(&ini, " connect_query='SET search_path TO %s'", path)
	}
	ini.WriteString("\n[pgbouncer]\n")
	all := map[string]string{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(port), "unix_socket_dir": "",
		"auth_type": "scram-sha-256", "auth_file": filepath.Join(dir, "users.txt"),
		"pool_mode": "transaction", "default_pool_size": "2", "max_client_conn": "500",
	}
	if os.Geteuid() == 0 { // as which pgbouncer does not run
		all["user"] = unprivileged(t, dir)
	}
	for name, value := range settings {
		all[name] = value
	}
	for name, value := range all {
		fmt.Fprintf(&ini, "%s = %s\n", name, value)
	}
	path := filepath.Join(dir, "pgbouncer.ini")
	if err := errors.Join(os.WriteFile(path, []byte(ini.String()), 0o644), os.WriteFile(all["auth_file"], []byte(users.String()), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

// unprivileged is a user who may read the folder.
func unprivileged(t testing.TB, dir string) string {
	t.Helper()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if _, err := user.Lookup(name); err == nil {
			return name
		}
	}
	t.Fatal("this machine has no user postgres or nobody to run pgbouncer as")
	return ""
}

func start(t testing.TB, cmd *exec.Cmd) (end func()) {
	t.Helper()
	processes, err := process.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := processes.Start(cmd, syscall.SIGINT); err != nil {
		t.Fatal(errors.Join(err, processes.Close()))
	}
	return sync.OnceFunc(func() {
		_ = syscall.Kill(cmd.Process.Pid, syscall.SIGTERM) // which does not wait for the clients
		_ = cmd.Wait()
		processes.Exited(cmd.Process.Pid)
		if err := processes.Close(); err != nil {
			t.Error(err)
		}
	})
}

// answers waits until a URL leads to a server.
func answers(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
