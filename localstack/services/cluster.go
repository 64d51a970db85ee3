package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dataName is the data folder proper within PostgresOptions.Dir, beside the password.
const dataName = "data"

// cluster is a data folder of Postgres on its way to a running server.
type cluster struct {
	folder   *folder
	account  account
	options  PostgresOptions
	bindir   string
	version  string
	password string
	port     func() (int, error) // finds a free one
}

// openCluster opens the folder and decides who the server runs as.
func openCluster(o PostgresOptions) (*cluster, error) {
	a, err := serviceAccount(filepath.Join(o.Dir, dataName))
	if err != nil {
		return nil, err
	}
	f, err := openFolder(o.Dir, a)
	if err != nil {
		return nil, err
	}
	return &cluster{folder: f, account: a, options: o, port: freePort}, nil
}

func (c *cluster) data() string { return c.folder.file(dataName) }

// HasPostgresData reports whether a PostgresOptions.Dir has data of an earlier run.
func HasPostgresData(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dataName))
	return err == nil
}

// start makes the data folder ready, choosing the server that fits it, and starts that server.
func (c *cluster) start(ctx context.Context, bindirs []string) (*Postgres, error) {
	if err := c.choose(ctx, bindirs); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	// The port is free when we look; somebody may take it before Postgres does.
	for attempt := 1; ; attempt++ {
		port, err := c.port()
		if err != nil {
			return nil, err
		}
		program, err := launch("postgres", c.server(port), c.options.Processes, syscall.SIGINT)
		if err != nil {
			return nil, err
		}
		err = ready(ctx, program, port, c.password, c.options.Database)
		if err == nil {
			program.output.follow(c.options.Log) // until now, it mostly told us to wait
			return &Postgres{program: program, folder: c.folder, bindir: c.bindir, version: c.version,
				url: connectionURL(port, c.password, c.options.Database)}, nil
		}
		program.stop(context.WithoutCancel(ctx), step{syscall.SIGINT, false, 5 * time.Second}, step{syscall.SIGQUIT, false, 2 * time.Second})
		taken := strings.Contains(program.output.String(), "Address already in use")
		if !taken || attempt == 5 {
			return nil, err
		}
	}
}

// choose picks the server: for existing data one of the same major version, else the preferred one.
func (c *cluster) choose(ctx context.Context, bindirs []string) error {
	stored, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	exists := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the data's version: %w", err)
	}
	want := strings.TrimSpace(string(stored))
	var others []string
	var broken []error
	for _, bindir := range bindirs {
		version, err := versionOf(ctx, bindir)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if !exists || majorOf(version) == want {
			c.bindir, c.version = bindir, version
			return nil
		}
		others = append(others, version)
	}
	if len(others) == 0 {
		return errors.Join(broken...)
	}
	return fmt.Errorf("%s has data of PostgreSQL %s, and installed is %s: install PostgreSQL %s, "+anotherFolder+", or remove that one",
		c.data(), want, strings.Join(others, " and "), want)
}

// command returns a command that runs one of Postgres's programs as the account.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = cleanEnvironment("PG")
	cmd.Dir = c.folder.path
	c.account.apply(cmd, c.folder.path)
	return cmd
}

// server returns the command that runs the server. Each connection costs the server a file where
// semaphores are files (macOS, where a process may have 256 by default): hence the shell that asks for more.
func (c *cluster) server(port int) *exec.Cmd {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "",    // nothing in /tmp
		"max_connections":         "400", // every function environment keeps one or two
		"shared_buffers":          "64MB",
		"log_checkpoints":         "off",
		"log_line_prefix":         "",
		"logging_collector":       "off",
		"lc_messages":             "C",
	}
	maps.Copy(settings, c.options.Settings)
	args := []string{"-c", `ulimit -S -n 4096 2>/dev/null; exec "$0" "$@"`, filepath.Join(c.bindir, "postgres"), "-D", c.data()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return c.command("/bin/sh", args...)
}
