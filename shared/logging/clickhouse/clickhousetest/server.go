// Package clickhousetest starts private ClickHouse servers for tests: each in a temporary folder, on a free port of the
// loopback interface, gone with the test.
package clickhousetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	schema "github.com/eragon-mdi/ksu/migrate/clickhouse"
)

// startTimeout is generous: a busy machine starts a server in a few seconds.
const startTimeout = time.Minute

// Server is a running ClickHouse.
type Server struct {
	// Address is host:port of the native protocol; it stays the same over Stop and Start. The account is default,
	// without a password.
	Address string

	binary, dir string
	cmd         *exec.Cmd
	input       interface{ Close() error }
	exited      chan struct{}
}

// Start starts a server that ends with the test. It fails the test where ClickHouse is not installed.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// New starts a server that keeps everything in dir; the caller stops it.
func New(dir string) (*Server, error) {
	binary, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{binary: binary, dir: dir}
	for attempt := 0; ; attempt++ { // somebody else may take the port that was free
		if err := s.configure(); err != nil {
			return nil, fmt.Errorf("configure clickhouse-server: %w", err)
		}
		if err = s.Start(); err == nil || attempt == 2 {
			return s, err
		}
	}
}

// find returns the server's program, or how to get it. Debian puts it where an ordinary user's PATH does not lead.
func find() (string, error) {
	for _, name := range []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "clickhouse"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("tests need clickhouse-server, which is neither in PATH nor in /usr/sbin: " +
		"apt-get install clickhouse-server (Debian), brew install clickhouse (macOS), or https://clickhouse.com/docs/install")
}

// configure writes the configuration with a free port. The old <yandex> is what 18.16 wants; current servers take any
// root element.
func (s *Server) configure() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.Address)
	err = os.WriteFile(filepath.Join(s.dir, "config.xml"), fmt.Appendf(nil, `<?xml version="1.0"?>
<yandex>
	<logger><level>warning</level><console>1</console></logger>
	<tcp_port>%s</tcp_port>
	<listen_host>127.0.0.1</listen_host>
	<path>%[2]s/data/</path>
	<tmp_path>%[2]s/tmp/</tmp_path>
	<users_config>users.xml</users_config>
	<default_profile>default</default_profile>
	<default_database>default</default_database>
	<mark_cache_size>67108864</mark_cache_size>
	<timezone>Asia/Tokyo</timezone><!-- where a mistake with time zones shows -->
</yandex>
`, port, s.dir), 0o600)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "users.xml"), []byte(`<?xml version="1.0"?>
<yandex>
	<profiles><default/></profiles>
	<users><default>
		<password/>
		<networks><ip>127.0.0.1</ip></networks>
		<profile>default</profile>
		<quota>default</quota>
	</default></users>
	<quotas><default/></quotas>
</yandex>
`), 0o600)
}

// supervise runs the server and kills it when the input ends, which it also does when the tests die.
const supervise = `"$@" </dev/null & server=$!; cat >/dev/null; kill -9 $server; wait $server 2>/dev/null`

// Start starts a server that was stopped, on the same port with the same data.
func (s *Server) Start() error {
	arguments := []string{"-c", supervise, "sh", s.binary}
	if filepath.Base(s.binary) == "clickhouse" {
		arguments = append(arguments, "server")
	}
	s.cmd = exec.Command("sh", append(arguments, "--config-file="+filepath.Join(s.dir, "config.xml"))...)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Dir = s.dir
	input, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start clickhouse-server: %w", err)
	}
	s.input, s.exited = input, make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // killed, always
		close(exited)
	}(s.cmd, s.exited)
	if err := s.ready(); err != nil {
		s.Stop()
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("clickhouse-server does not answer: %w\n%s", err, log)
	}
	return nil
}

// Stop kills the server as a crash would. It may be called twice.
func (s *Server) Stop() {
	if s.input == nil {
		return
	}
	_ = s.input.Close()
	<-s.exited
	s.input = nil
}

func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	db := s.open("default")
	defer db.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func (s *Server) open(database string) *sql.DB {
	return ch.OpenDB(&ch.Options{Addr: []string{s.Address}, Auth: ch.Auth{Database: database, Username: "default"}})
}

// DB opens a database of the server until the test ends.
func (s *Server) DB(t testing.TB, database string) *sql.DB {
	t.Helper()
	db := s.open(database)
	t.Cleanup(func() { db.Close() })
	return db
}

// Database creates an empty database for a test and returns its name.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, t.Name()) + fmt.Sprintf("_%d", time.Now().UnixNano())
	if _, err := s.DB(t, "default").Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	return name
}

// Logs creates a database with the table logs, as the migrations make it, and returns its name.
func (s *Server) Logs(t testing.TB) string {
	t.Helper()
	name := s.Database(t)
	if err := Migrate(s.DB(t, name)); err != nil {
		t.Fatal(err)
	}
	return name
}

// Migrate makes the table logs without golang-migrate's table of versions.
func Migrate(db *sql.DB) error {
	up, err := schema.Files.ReadFile("000001_logs.up.sql")
	if err != nil {
		return err
	}
	for statement := range strings.SplitSeq(string(up), ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.Exec(statement); err != nil {
			return fmt.Errorf("create the table logs: %w", err)
		}
	}
	return nil
}
