// Package postgres runs a private Postgres server on a free loopback port, from programs that are installed on this
// machine, and waits for a server that somebody else runs.
package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

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
	// Settings are server settings; they take precedence over those of this package. Example: "synchronous_commit":
	// "off". Default: none, and the server keeps every commit through a crash.
	Settings map[string]string
	// Database is the database of URL. Start creates it if it is missing. Default: "postgres".
	Database string
}

// Reserved is a private server that does not run yet, but whose URL is known. The zero value is not usable; see Reserve.
type Reserved struct {
	options  Options
	bindirs  []string
	port     net.Listener // keeps the port until the server takes it
	password string
}

// Reserve chooses the port and the password of a private server. The caller ends it with Start or Release. Processes and Log
// of the options are for Start.
//
// Errors: ErrNotInstalled if this machine has no server.
func Reserve(o Options) (*Reserved, error) {
	o.Database = cmp.Or(o.Database, "postgres")
	r := &Reserved{options: o, bindirs: findAll(installedIn), password: rand.Text()}
	if len(r.bindirs) == 0 {
		return nil, ErrNotInstalled
	}
	var err error
	if r.options.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("reserve Postgres: %w", err)
	}
	if password, err := os.ReadFile(filepath.Join(r.options.Dir, passwordName)); err == nil {
		r.password = strings.TrimSpace(string(password))
	}
	if r.port, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("reserve Postgres: %w", err)
	}
	return r, nil
}

// URL returns what Server.URL will return.
func (r *Reserved) URL() string {
	return connectionURL(r.port.Addr().(*net.TCPAddr).Port, r.password, r.options.Database)
}

// Release gives the port back, unless the server was started.
func (r *Reserved) Release() { _ = r.port.Close() }

// Start starts the server as the function Start does. The arguments are those of Options.
func (r *Reserved) Start(ctx context.Context, processes run.Processes, log func(line string)) (*Server, error) {
	defer r.Release()
	r.options.Processes, r.options.Log = processes, log
	c, err := openCluster(r.options)
	if err == nil {
		c.password = r.password
		c.port = func() (int, error) { r.Release(); return r.port.Addr().(*net.TCPAddr).Port, nil }
		var s *Server
		if s, err = c.start(ctx, r.bindirs); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("start Postgres: %w", err)
}

// Server is a running private server. The zero value is not usable; see Start.
type Server struct {
	program *run.Program
	bindir  string
	version string
	url     string
}

// Start starts a private server on a free port of 127.0.0.1 and returns once it accepts connections. The first start
// with a Dir creates its data.
//
// Errors: ErrNotInstalled if this machine has no server; others name the folder or quote the server.
func Start(ctx context.Context, o Options) (*Server, error) {
	r, err := Reserve(o)
	if err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	return r.Start(ctx, o.Processes, o.Log)
}

// URL returns the connection string of the database, including the password:
// postgres://postgres:…@127.0.0.1:PORT/DATABASE?sslmode=disable.
func (s *Server) URL() string { return s.url }

// What describes the server for a person: "PostgreSQL 15.14 from /usr/lib/postgresql/15/bin".
func (s *Server) What() string { return "PostgreSQL " + s.version + " from " + s.bindir }

// Done is closed once the server has ended, by Close or by itself. Err says why.
func (s *Server) Done() <-chan struct{} { return s.program.Done() }

// Err returns nil while the server runs and after a clean end; otherwise it describes the failure.
func (s *Server) Err() error { return s.program.Err() }

// Close ends the server and waits for its end. It begins with a fast shutdown, which ends all sessions and writes
// everything to disk. If that takes more than 15 seconds or ctx ends, Close kills the server and returns an error; the
// next start recovers without loss. Closing again does nothing.
func (s *Server) Close(ctx context.Context) error {
	if s.program.Ended() {
		return nil
	}
	// SIGINT is the fast shutdown of Postgres, SIGQUIT the immediate one.
	steps := s.program.Stop(ctx,
		run.Step{Signal: syscall.SIGINT, Wait: 15 * time.Second},
		run.Step{Signal: syscall.SIGQUIT, Wait: 3 * time.Second})
	if steps > 1 {
		return errors.New("stop Postgres: it did not end in good order and was killed; the next start recovers its data")
	}
	return nil
}
