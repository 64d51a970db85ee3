package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// patience bounds each step on a server; some take seconds on a busy machine.
const patience = time.Minute

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// machine is where servers run: a temporary folder, and processes that end with this one, even if it is killed.
type machine struct {
	dir       string
	processes *process.Supervisor
}

func newMachine() (*machine, error) {
	dir, err := os.MkdirTemp("", "schematest-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the servers: %w", err)
	}
	processes, err := process.Start()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &machine{dir, processes}, nil
}

// folder makes a folder for a server.
func (m *machine) folder(name string) (string, error) {
	dir, err := os.MkdirTemp(m.dir, name+"-")
	if err != nil {
		return "", fmt.Errorf("make a folder for %s: %w", name, err)
	}
	return filepath.EvalSymlinks(dir)
}

func (m *machine) close() error { return errors.Join(m.processes.Close(), os.RemoveAll(m.dir)) }
