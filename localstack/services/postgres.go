package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// superuser is the name of the one role that a new data folder has.
const superuser = "postgres"

// PostgresOptions configure StartPostgres.
type PostgresOptions struct {
	// Dir is the folder for everything that outlives a run. Created if missing, closed to other users; the
	// caller sees to it that no other local stack has it. Required.
	Dir string
	// Processes starts the server. Required.
	Processes Processes
	// Log gets each line that the server prints once it is ready, on a goroutine of its own; a start that
	// fails has the lines in its error. It must not block. Nil discards them.
	Log func(line string)
	// Settings are server settings beyond and above the package's own, such as "synchronous_commit": "off".
	// Default none: the server keeps every commit through a crash.
	Settings map[string]string
	// Database is the database of URL, created if missing. Default "ksu".
	Database string
}

// Postgres is a running private server.
type Postgres struct {
	program *program
	folder  *folder
	bindir  string
	version string
	url     string
}

// StartPostgres starts a private Postgres server on a free port of 127.0.0.1, from installed programs, and
// returns once it accepts connections. The first start of a Dir creates its data.
//
// Errors: ErrNoPostgres if there is nothing to start; else they name the folder or quote the server.
func StartPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	if o.Database == "" {
		o.Database = "ksu"
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	o.Dir = dir
	p, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	return p, nil
}

func start(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	bindirs := findAllPostgres(installedIn)
	if len(bindirs) == 0 {
		return nil, ErrNoPostgres
	}
	c, err := openCluster(o)
	if err != nil {
		return nil, err
	}
	return c.start(ctx, bindirs)
}

// URL returns the connection string of the database, password included:
// postgres://postgres:…@127.0.0.1:PORT/ksu?sslmode=disable.
func (p *Postgres) URL() string { return p.url }

// Version returns the server's version, such as "15.14".
func (p *Postgres) Version() string { return p.version }

// What describes the server for a person: "PostgreSQL 15.14 from /usr/lib/postgresql/15/bin".
func (p *Postgres) What() string { return "PostgreSQL " + p.version + " from " + p.bindir }

// Done is closed once the server has ended, by Close or by itself. Err says why.
func (p *Postgres) Done() <-chan struct{} { return p.program.done }

// Err returns nil while the server runs and after a clean end, and what went wrong otherwise.
func (p *Postgres) Err() error {
	if !p.program.ended() || p.program.err == nil {
		return nil
	}
	return p.program.failure()
}

// Close ends the server and waits for that: first by a fast shutdown, which ends all sessions and writes
// everything to disk; if that takes more than 15 seconds or ctx ends, by harder means, from which the next
// start recovers without loss. The error says so then. Closing again does nothing.
func (p *Postgres) Close(ctx context.Context) error {
	if p.program.ended() {
		return nil
	}
	// SIGINT is Postgres's fast shutdown, SIGQUIT the immediate one.
	steps := p.program.stop(ctx,
		step{signal: syscall.SIGINT, wait: 15 * time.Second},
		step{signal: syscall.SIGQUIT, wait: 3 * time.Second})
	if steps > 1 {
		return errors.New("stop Postgres: it did not end in good order and was killed; the next start recovers its data")
	}
	return nil
}

// connectionURL returns the URL of a database on 127.0.0.1.
func connectionURL(port int, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
