package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/migrate/clickhouse"
)

// ClickHouse serves servers, each known by its address.
type ClickHouse struct {
	machine *machine

	mu      sync.Mutex
	servers map[string]*logServer
}

// Serve starts a server and answers with the host:port of its native protocol. The address stays the same over Stop and
// Start. The account is default, without a password.
func (c *ClickHouse) Serve(_ struct{}, answer *string) error {
	dir, err := c.machine.folder("clickhouse")
	if err != nil {
		return err
	}
	s, err := newLogServer(dir, c.machine.processes)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.servers == nil {
		c.servers = map[string]*logServer{}
	}
	c.servers[s.address] = s
	*answer = s.address
	return nil
}

// Stop kills a server, as a crash would. A second Stop does nothing.
func (c *ClickHouse) Stop(address string, _ *struct{}) error {
	s, err := c.find(address)
	if err == nil {
		s.stop()
	}
	return err
}

// Start restarts a stopped server with its data.
func (c *ClickHouse) Start(address string, _ *struct{}) error {
	s, err := c.find(address)
	if err != nil {
		return err
	}
	return s.start()
}

// Empty answers with the name of a new database without tables.
func (c *ClickHouse) Empty(address string, answer *string) error {
	s, err := c.find(address)
	if err != nil {
		return err
	}
	*answer = "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	return s.in("default", func(db *sql.DB) error {
		_, err := db.Exec("CREATE DATABASE " + *answer)
		return err
	})
}

// Migrated is Empty with the table logs.
func (c *ClickHouse) Migrated(address string, answer *string) error {
	if err := c.Empty(address, answer); err != nil {
		return err
	}
	return c.Migrate(Database{address, *answer}, nil)
}

// Database names a database of a server.
type Database struct{ Address, Name string }

// Migrate gives a database the table logs, without golang-migrate's table of versions.
func (c *ClickHouse) Migrate(d Database, _ *struct{}) error {
	s, err := c.find(d.Address)
	if err != nil {
		return err
	}
	statements, err := clickhouse.Files.ReadFile("000001_logs.up.sql")
	if err != nil {
		return err
	}
	return s.in(d.Name, func(db *sql.DB) error {
		for statement := range strings.SplitSeq(string(statements), ";") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := db.Exec(statement); err != nil {
				return fmt.Errorf("create the table logs: %w", err)
			}
		}
		return nil
	})
}

func (c *ClickHouse) find(address string) (*logServer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[address]
	if s == nil {
		return nil, errors.New("unknown ClickHouse server " + address)
	}
	return s, nil
}

func (c *ClickHouse) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		s.stop()
	}
	return nil
}
