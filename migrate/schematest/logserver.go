package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// logServer is a ClickHouse with settings for tests. Unlike the local stack's, it needs no password, is killed at the
// end, and has a time zone that reveals mistakes with time zones.
type logServer struct {
	address     string
	binary, dir string
	processes   *process.Supervisor

	mu     sync.Mutex
	cmd    *osexec.Cmd
	exited chan struct{} // nil while no server runs
}

// newLogServer starts a server that keeps everything in dir.
func newLogServer(dir string, processes *process.Supervisor) (*logServer, error) {
	binary, err := findClickHouse()
	if err != nil {
		return nil, err
	}
	s := &logServer{binary: binary, dir: dir, processes: processes}
	for attempt := 0; ; attempt++ { // another process may take the port that was free
		if err := s.configure(); err != nil {
			return nil, fmt.Errorf("configure clickhouse-server: %w", err)
		}
		if err = s.start(); err == nil || attempt == 2 {
			return s, err
		}
	}
}

// findClickHouse returns the server's program, else an error that says how to install it. Debian puts it outside an
// ordinary user's PATH.
func findClickHouse() (string, error) {
	for _, name := range []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "clickhouse"} {
		if path, err := osexec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("tests need clickhouse-server, which is neither in PATH nor in /usr/sbin: " +
		"apt-get install clickhouse-server (Debian), brew install clickhouse (macOS), or https://clickhouse.com/docs/install")
}

// configuration has the settings that 18.16 and current servers know. 18.16 requires the root element <yandex>; current
// servers accept any.
const configuration = `<?xml version="1.0"?>
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
	<timezone>Asia/Tokyo</timezone>
</yandex>
`

const users = `<?xml version="1.0"?>
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
`

// configure writes the configuration with a free port.
func (s *logServer) configure() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(s.dir, "config.xml"), fmt.Appendf(nil, configuration, port, s.dir), 0o600),
		os.WriteFile(filepath.Join(s.dir, "users.xml"), []byte(users), 0o600))
}

// start starts the server, on the same port with the same data as before, and waits until it answers.
func (s *logServer) start() error {
	exited, err := s.launch()
	if err != nil {
		return fmt.Errorf("start clickhouse-server: %w", err)
	}
	if err := s.ready(exited); err != nil {
		s.stop()
		said, _ := os.ReadFile(s.log())
		return fmt.Errorf("clickhouse-server does not answer: %w\n%s", err, said)
	}
	return nil
}

func (s *logServer) log() string { return filepath.Join(s.dir, "log") }

// launch starts the process and returns a channel that its end closes.
func (s *logServer) launch() (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exited != nil {
		return nil, errors.New("it runs")
	}
	var arguments []string
	if filepath.Base(s.binary) == "clickhouse" {
		arguments = append(arguments, "server")
	}
	s.cmd = osexec.Command(s.binary, append(arguments, "--config-file="+filepath.Join(s.dir, "config.xml"))...)
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has a descriptor of its own
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = log, log, s.dir
	// Without a terminal, current servers fork a watchdog of their own.
	s.cmd.Env = append(os.Environ(), "CLICKHOUSE_WATCHDOG_ENABLE=0")
	if err := s.processes.Start(s.cmd, syscall.SIGKILL); err != nil {
		return nil, err
	}
	s.exited = make(chan struct{})
	go func(cmd *osexec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // always "signal: killed"
		s.processes.Exited(cmd.Process.Pid)
		close(exited)
	}(s.cmd, s.exited)
	return s.exited, nil
}

// stop kills the server and waits for its end. A second stop does nothing.
func (s *logServer) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exited == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.exited
	s.exited = nil
}

func (s *logServer) ready(exited <-chan struct{}) error {
	ctx, cancel := bounded()
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.in("default", func(db *sql.DB) error { return db.PingContext(ctx) })
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-exited:
			return errors.New("it ended")
		case <-tick.C:
		}
	}
}

// in calls do with a connection to a database.
func (s *logServer) in(database string, do func(*sql.DB) error) error {
	db := ch.OpenDB(&ch.Options{Addr: []string{s.address}, Auth: ch.Auth{Database: database, Username: "default"}})
	return errors.Join(do(db), db.Close())
}
