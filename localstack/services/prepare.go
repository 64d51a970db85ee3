package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// prepare creates the data folder unless it exists, and reads the password.
func (c *cluster) prepare(ctx context.Context) error {
	// What an initdb left that was killed together with its stack.
	leftovers, _ := filepath.Glob(c.folder.file(dataName + ".new*"))
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

func (c *cluster) passwordFile() string { return c.folder.file("password") }

func (c *cluster) readPassword() error {
	password, err := os.ReadFile(c.passwordFile())
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing, without which nobody can connect to the data in %s: put it back, "+anotherFolder+", or remove that one",
			c.passwordFile(), c.data())
	}
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	c.password = strings.TrimSpace(string(password))
	return nil
}

// create makes a new data folder. It appears under its name only when it is complete, so that an
// interruption at any moment leaves nothing that a later start would take for data.
func (c *cluster) create(ctx context.Context) (err error) {
	c.password = rand.Text()
	if err := os.WriteFile(c.passwordFile(), []byte(c.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the password: %w", err)
	}
	if err := c.account.own(c.passwordFile()); err != nil {
		return err
	}
	// Permissions of a file that existed before are not changed by WriteFile.
	if err := os.Chmod(c.passwordFile(), 0o600); err != nil {
		return fmt.Errorf("write the password: %w", err)
	}
	fresh := c.folder.file(dataName + ".new")
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(fresh))
		}
	}()
	// Any local user can reach the port: everybody has to prove the password. The C locale sorts the same
	// everywhere.
	cmd := c.command(filepath.Join(c.bindir, "initdb"), "--pgdata="+fresh, "--username="+superuser,
		"--pwfile="+c.passwordFile(), "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")
	initdb, err := launch("initdb", cmd, c.options.Processes, syscall.SIGINT)
	if err != nil {
		return err
	}
	select {
	case <-initdb.done:
	case <-ctx.Done():
		initdb.stop(context.WithoutCancel(ctx), step{signal: syscall.SIGINT, group: true, wait: 3 * time.Second})
		return fmt.Errorf("create the data folder: %w", ctx.Err())
	}
	if initdb.err != nil {
		return fmt.Errorf("create the data folder %s: %w", c.data(), initdb.failure())
	}
	if err := os.Rename(fresh, c.data()); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	return nil
}

// awaitFormerServer waits for the server of a local stack that crashed, which its watchdog is ending. No
// living stack has a server here.
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
		if !isPostgres(ctx, pid) {
			// After a crash, somebody else may have got the number; Postgres would take him for a server.
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
			return fmt.Errorf("%s is in use by a Postgres server, process %d: end it (kill -INT %d), or "+anotherFolder, c.data(), pid, pid)
		}
	}
}

// postmaster returns the process that a postmaster.pid names, or 0 if there is no such file or process.
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
func isPostgres(ctx context.Context, pid int) bool {
	out, err := exec.CommandContext(ctx, "ps", "-o", "state=", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		// ps fails for a process that has ended meanwhile. Where there is no ps, Postgres's word counts.
		var exit *exec.ExitError
		return !errors.As(err, &exit)
	}
	state, command, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return !strings.HasPrefix(state, "Z") && (strings.Contains(command, "postgres") || strings.Contains(command, "postmaster"))
}
