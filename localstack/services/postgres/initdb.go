package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/services/run"
)

// prepare creates the data folder unless it exists, and reads the password.
func (c *cluster) prepare(ctx context.Context) error {
	// An initdb that was killed together with its stack leaves these.
	leftovers, _ := filepath.Glob(c.folder.File(dataName + ".new*"))
	for _, leftover := range leftovers {
		if err := os.RemoveAll(leftover); err != nil {
			return fmt.Errorf("remove a half-written data folder: %w", err)
		}
	}
	_, err := os.Stat(c.data())
	switch {
	case err == nil:
		if err := c.readPassword(); err != nil {
			return err
		}
		return c.awaitFormerServer(ctx)
	case errors.Is(err, os.ErrNotExist):
		return c.create(ctx)
	default:
		return fmt.Errorf("look for the data folder: %w", err)
	}
}

func (c *cluster) passwordFile() string { return c.folder.File(passwordName) }

func (c *cluster) readPassword() error {
	password, err := os.ReadFile(c.passwordFile())
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing, and nobody can connect to the data in %s without it: put it back, "+run.AnotherFolder+", or remove that one",
			c.passwordFile(), c.data())
	}
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	c.password = strings.TrimSpace(string(password))
	return nil
}

// create makes a new data folder. The folder gets its name when it is complete: a later start does not take the rest of
// an interrupted initdb for data.
func (c *cluster) create(ctx context.Context) (err error) {
	c.password = cmp.Or(c.password, rand.Text())
	if err := os.WriteFile(c.passwordFile(), []byte(c.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the password: %w", err)
	}
	if err := c.account.Own(c.passwordFile()); err != nil {
		return err
	}
	// WriteFile does not change the permissions of an existing file.
	if err := os.Chmod(c.passwordFile(), 0o600); err != nil {
		return fmt.Errorf("write the password: %w", err)
	}
	fresh := c.folder.File(dataName + ".new")
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(fresh))
		}
	}()
	// Any local user can reach the port, so the server asks everybody for the password. The C locale sorts alike on all
	// systems.
	cmd := c.command(filepath.Join(c.bindir, "initdb"), "--pgdata="+fresh, "--username="+superuser,
		"--pwfile="+c.passwordFile(), "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")
	initdb, err := run.Launch("initdb", cmd, c.options.Processes, syscall.SIGINT)
	if err != nil {
		return err
	}
	select {
	case <-initdb.Done():
	case <-ctx.Done():
		initdb.Stop(context.WithoutCancel(ctx), run.Step{Signal: syscall.SIGINT, Group: true, Wait: 3 * time.Second})
		return fmt.Errorf("create the data folder: %w", ctx.Err())
	}
	if err := initdb.Err(); err != nil {
		return fmt.Errorf("create the data folder %s: %w", c.data(), err)
	}
	if err := os.Rename(fresh, c.data()); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	return nil
}

// awaitFormerServer waits for the end of a server whose local stack crashed: its watchdog is ending it. No running stack
// has a server here.
func (c *cluster) awaitFormerServer(ctx context.Context) error {
	pidFile := filepath.Join(c.data(), "postmaster.pid")
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		pid, err := postmaster(pidFile)
		if err != nil {
			return err
		}
		if pid == 0 {
			return nil
		}
		running, err := isPostgres(pid)
		if err != nil {
			return fmt.Errorf("look for a running server: %w", err)
		}
		if !running {
			// After a crash, another process may have got the number, and Postgres would take it for a server.
			if err := os.Remove(pidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove a stale postmaster.pid: %w", err)
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("%s is in use by a Postgres server, process %d: end it (kill -INT %d), or "+run.AnotherFolder, c.data(), pid, pid)
		}
	}
}

// postmaster returns the process that a postmaster.pid names, or 0 if the file or the process does not exist.
func postmaster(pidFile string) (int, error) {
	content, err := os.ReadFile(pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for a running server: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return 0, nil
	}
	return pid, nil
}

// isPostgres reports whether the process is a Postgres server that still runs.
func isPostgres(pid int) (bool, error) {
	p, running, err := process.Lookup(pid)
	return running && (strings.Contains(p.Command, "postgres") || strings.Contains(p.Command, "postmaster")), err
}
