package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
)

// Postgres serves databases. Each is a schema in one database, since creating a schema takes milliseconds, and creating
// a database a quarter of a second. The server is the one that TEST_DATABASE_URL names, whose user must be allowed to
// create schemas; else a private server, started at the first call.
type Postgres struct {
	machine *machine

	mu      sync.Mutex
	private *postgres.Server // nil until it is needed
}

// Empty answers with the URL of a new database without tables.
func (p *Postgres) Empty(_ struct{}, answer *string) error {
	server, err := p.server()
	if err != nil {
		return err
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	address, err := within(server, name)
	if err != nil {
		return err
	}
	*answer = address
	return exec(server, "CREATE SCHEMA "+name)
}

// Migrated is Empty with the newest schema.
func (p *Postgres) Migrated(_ struct{}, answer *string) error {
	if err := p.Empty(struct{}{}, answer); err != nil {
		return err
	}
	return p.Migrate(*answer, nil)
}

// Migrate gives the database at a URL the newest schema.
func (*Postgres) Migrate(address string, _ *struct{}) error {
	return up(config.Storage{Type: "postgres", DatabaseURL: config.Secret(address)})
}

// Drop removes a database that Empty or Migrated created.
func (p *Postgres) Drop(address string, _ *struct{}) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("drop a database: unknown URL")
	}
	server, err := p.server()
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(u.Query().Get("options"), searchPath)
	return exec(server, "DROP SCHEMA "+pgx.Identifier{name}.Sanitize()+" CASCADE")
}

// Private answers with the superuser's URL of the private server, even if TEST_DATABASE_URL names another. The server
// requires passwords.
func (p *Postgres) Private(_ struct{}, answer *string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.private == nil {
		if err := p.start(); err != nil {
			return fmt.Errorf("no Postgres for the test; TEST_DATABASE_URL can name a server: %w", err)
		}
	}
	*answer = p.private.URL()
	return nil
}

func (p *Postgres) server() (address string, err error) {
	if address := os.Getenv("TEST_DATABASE_URL"); address != "" {
		return address, nil
	}
	err = p.Private(struct{}{}, &address)
	return address, err
}

func (p *Postgres) start() error {
	dir, err := p.machine.folder("postgres")
	if err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	p.private, err = postgres.Start(ctx, postgres.Options{
		Dir: dir, Processes: p.machine.processes, Database: "test",
		// The data ends with the tests. Each open store has two connections.
		Settings: map[string]string{"fsync": "off", "max_connections": "300"},
	})
	return err
}

func (p *Postgres) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.private == nil {
		return nil
	}
	ctx, cancel := bounded()
	defer cancel()
	return p.private.Close(ctx)
}

// SQLite makes files of the internal store.
type SQLite struct{}

// Migrate gives the file at a path the newest schema. It creates the file and its folder.
func (SQLite) Migrate(path string, _ *struct{}) error {
	return up(config.Storage{Type: "internal", Path: path})
}

func up(storage config.Storage) error {
	ctx, cancel := bounded()
	defer cancel()
	target, err := schema.Tasks(storage)
	if err == nil {
		_, err = target.Up(ctx)
	}
	return err
}

func exec(server, sql string) error {
	ctx, cancel := bounded()
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // the statement's own error says more
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// searchPath begins the URL's parameter options. Every client understands it, psql included.
const searchPath = "-csearch_path="

// within returns the URL of a schema: there, names without a schema are names in it.
func within(server, schema string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", errors.New("TEST_DATABASE_URL must be a URL, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	query := u.Query()
	query.Set("options", searchPath+schema)
	u.RawQuery = query.Encode()
	return u.String(), nil
}
