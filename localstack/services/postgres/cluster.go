package postgres

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

	"github.com/eragon-mdi/ksu/localstack/services/run"
)

// dataName is the data folder proper within Options.Dir, beside the password.
const dataName, passwordName = "data", "password"

// cluster is a data folder of Postgres on its way to a running server.
type cluster struct {
	folder   *run.Folder
	account  run.Account
	options  Options
	bindir   string
	version  string
	password string
	port     func() (int, error) // returns a free port
}

// openCluster opens the folder and chooses the account that the server runs as.
func openCluster(o Options) (*cluster, error) {
	a, err := run.AccountFor(filepath.Join(o.Dir, dataName))
	if err != nil {
		return nil, err
	}
	f, err := run.OpenFolder(o.Dir, a)
	if err != nil {
		return nil, err
	}
	return &cluster{folder: f, account: a, options: o, port: run.FreePort}, nil
}

func (c *cluster) data() string { return c.folder.File(dataName) }

// HasData reports whether an Options.Dir has data of an earlier run.
func HasData(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dataName))
	return err == nil
}

// start chooses the installed server that fits the data, creates the data if there is none, and starts the server.
func (c *cluster) start(ctx context.Context, bindirs []string) (*Server, error) {
	if err := c.choose(ctx, bindirs); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	// Another process may take the free port before Postgres does.
	for attempt := 1; ; attempt++ {
		port, err := c.port()
		if err != nil {
			return nil, err
		}
		program, err := run.Launch("postgres", c.server(port), c.options.Processes, syscall.SIGINT)
		if err != nil {
			return nil, err
		}
		err = awaitConnection(ctx, program, port, c.password, c.options.Database)
		if err == nil {
			program.Follow(c.options.Log) // the earlier lines mostly say that the server is starting
			return &Server{program: program, bindir: c.bindir, version: c.version,
				url: connectionURL(port, c.password, c.options.Database)}, nil
		}
		program.Stop(context.WithoutCancel(ctx),
			run.Step{Signal: syscall.SIGINT, Wait: 5 * time.Second}, run.Step{Signal: syscall.SIGQUIT, Wait: 2 * time.Second})
		taken := strings.Contains(program.LastLines(), "Address already in use")
		if !taken || attempt == 5 {
			return nil, err
		}
	}
}

// choose picks the installed server: for existing data one of the same major version, else the preferred one.
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
	return fmt.Errorf("%s has data of PostgreSQL %s, but PostgreSQL %s is installed: install PostgreSQL %s, "+run.AnotherFolder+", or remove that one",
		c.data(), want, strings.Join(others, " and "), want)
}

// command returns a command that runs one of Postgres's programs as the account.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = run.Environment("PG")
	cmd.Dir = c.folder.Path()
	c.account.Apply(cmd, c.folder.Path())
	return cmd
}

// server returns the command that runs the server. On macOS semaphores are files: each connection costs one, and a
// process may have 256 by default. Hence the shell that raises the limit.
func (c *cluster) server(port int) *exec.Cmd {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "",     // nothing in /tmp
		"max_connections":         "1000", // every function environment keeps one or more
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
