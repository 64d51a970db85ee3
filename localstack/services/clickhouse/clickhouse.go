// Package clickhouse runs a private ClickHouse server on a free loopback port, from a program that is installed on this
// machine.
package clickhouse

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

// ErrNotInstalled reports that this machine has no ClickHouse server to start. Its text says how to get one.
var ErrNotInstalled = errors.New(`no ClickHouse found on this machine; any of these helps:
  - install it: "sudo apt install clickhouse-server" (Debian, Ubuntu), "brew install clickhouse" (macOS),
    or see https://clickhouse.com/docs/install
  - use a server that runs already: name the host:port of its native protocol`)

// Options configure Start.
type Options struct {
	// Dir is the folder for everything that outlives a run. Start creates it if it is missing and closes it to other
	// users. The caller ensures that no other local stack uses it. Required.
	Dir string
	// Processes starts the server. Required.
	Processes run.Processes
	// Log gets each line that the server prints once it is ready, on a goroutine of its own. If the start fails, the
	// error has the lines. Log must not block. Nil discards them.
	Log func(line string)
}

// Server is a running private server. The zero value is not usable; see Start.
type Server struct {
	program  *run.Program
	folder   *run.Folder
	binary   string
	version  string
	port     int
	password string
}

// account is the name of the server's only account and of its database.
const account = "default"

// dataName is the data folder proper within Options.Dir, beside the configuration.
const dataName = "data"

// Start starts a private ClickHouse server on a free port of 127.0.0.1 and returns once it answers. The server has one
// account, with a new password for each start.
//
// Errors: ErrNotInstalled if this machine has no server; others name the folder or quote the server.
func Start(ctx context.Context, o Options) (*Server, error) {
	r, err := Reserve(o)
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	return r.Start(ctx, o.Processes, o.Log)
}

// Reserved is a private server that does not run yet, but whose address and password are known. The zero value is not
// usable; see Reserve.
type Reserved struct {
	options  Options
	binary   string
	port     net.Listener // keeps the port until the server takes it
	password string
}

// Reserve chooses the port and the password of a private server. The caller ends it with Start or Release. Processes and Log
// of the options are for Start.
//
// Errors: ErrNotInstalled if this machine has no server.
func Reserve(o Options) (*Reserved, error) {
	binary, err := find(programs)
	if err != nil {
		return nil, err
	}
	port, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("reserve ClickHouse: %w", err)
	}
	return &Reserved{options: o, binary: binary, port: port, password: rand.Text()}, nil
}

// Address returns host:port of the native protocol.
func (r *Reserved) Address() string { return r.port.Addr().String() }

// Username returns the name of the account.
func (r *Reserved) Username() string { return account }

// Password returns the account's password.
func (r *Reserved) Password() string { return r.password }

// Database returns the name of the one database.
func (r *Reserved) Database() string { return account }

// Release gives the port back, unless the server was started.
func (r *Reserved) Release() { _ = r.port.Close() }

// Start starts the server as the function Start does. The arguments are those of Options.
func (r *Reserved) Start(ctx context.Context, processes run.Processes, log func(line string)) (*Server, error) {
	defer r.Release()
	r.options.Processes, r.options.Log = processes, log
	s, err := r.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	return s, nil
}

func (r *Reserved) start(ctx context.Context) (*Server, error) {
	dir, err := filepath.Abs(r.options.Dir)
	if err != nil {
		return nil, err
	}
	a, err := run.AccountFor(filepath.Join(dir, dataName))
	if err != nil {
		return nil, err
	}
	f, err := run.OpenFolder(dir, a)
	if err != nil {
		return nil, err
	}
	s := &Server{folder: f, binary: r.binary, password: r.password, port: r.port.Addr().(*net.TCPAddr).Port}
	r.Release()
	return s, s.start(ctx, r.options, a)
}

// programs are the names of the server. Debian puts it where the PATH of an ordinary user does not lead.
var programs = []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "clickhouse"}

// find returns the path of the first program that is installed.
func find(names []string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}

// start launches the program. It tries again while another process has the port, and while the server of a crashed stack,
// which its watchdog is ending, still has the folder.
func (s *Server) start(ctx context.Context, o Options, a run.Account) (err error) {
	for until := time.Now().Add(10 * time.Second); ; {
		if err := s.writeConfig(a); err != nil {
			return err
		}
		if s.program, err = run.Launch("clickhouse-server", s.command(a), o.Processes, syscall.SIGTERM); err != nil {
			return err
		}
		if s.version, err = s.awaitAnswer(ctx); err == nil {
			s.program.Follow(o.Log)
			return nil
		}
		s.program.Stop(context.WithoutCancel(ctx), run.Step{Signal: syscall.SIGTERM, Wait: 5 * time.Second})
		said := s.program.LastLines()
		again := strings.Contains(said, "Address already in use") || strings.Contains(said, "Another server instance")
		if !again || time.Now().After(until) || !sleep(ctx, 250*time.Millisecond) {
			return err
		}
	}
}

func (s *Server) command(a run.Account) *exec.Cmd {
	args := []string{"--config-file=" + s.folder.File(configName)}
	if filepath.Base(s.binary) == "clickhouse" {
		args = append([]string{"server"}, args...)
	}
	cmd := exec.Command(s.binary, args...)
	// Without a terminal, current servers fork a watchdog of their own.
	cmd.Env = append(run.Environment("CLICKHOUSE_"), "CLICKHOUSE_WATCHDOG_ENABLE=0")
	cmd.Dir = s.folder.Path()
	a.Apply(cmd, s.folder.Path())
	return cmd
}

// Address returns host:port of the native protocol.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Username returns the name of the account.
func (s *Server) Username() string { return account }

// Password returns the account's password.
func (s *Server) Password() string { return s.password }

// Database returns the name of the one database.
func (s *Server) Database() string { return account }

// What describes the server for a person: "ClickHouse 18.16.1 from /usr/sbin/clickhouse-server".
func (s *Server) What() string { return "ClickHouse " + s.version + " from " + s.binary }

// url is the connection string for this package's own connections.
func (s *Server) url() string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(account, s.password), Host: s.Address(), Path: "/" + account}
	return u.String()
}

// Done is closed once the server has ended, by Close or by itself. Err says why.
func (s *Server) Done() <-chan struct{} { return s.program.Done() }

// Err returns nil while the server runs and after a clean end; otherwise it describes the failure.
func (s *Server) Err() error { return s.program.Err() }

// Close ends the server and waits for its end. It begins with SIGTERM, on which the server writes everything to disk. If
// that takes more than 15 seconds or ctx ends, Close kills the server and returns an error. Closing again does nothing.
func (s *Server) Close(ctx context.Context) error {
	if s.program.Ended() {
		return nil
	}
	if steps := s.program.Stop(ctx, run.Step{Signal: syscall.SIGTERM, Wait: 15 * time.Second}); steps > 1 {
		return errors.New("stop ClickHouse: it did not end in good order and was killed")
	}
	return nil
}

// sleep waits for d. It returns false at once if ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
