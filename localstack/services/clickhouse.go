package services

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
)

// ErrNoClickHouse says that this machine has no ClickHouse server to start, and how to get one.
var ErrNoClickHouse = errors.New(`no ClickHouse found on this machine; any one of these helps:
  - install it: "sudo apt install clickhouse-server" (Debian, Ubuntu), "brew install clickhouse" (macOS),
    or see https://clickhouse.com/docs/install
  - use a server that runs already: give its native protocol's host:port`)

// ClickHouseOptions configure StartClickHouse.
type ClickHouseOptions struct {
	// Dir is the folder for everything that outlives a run. Created if missing, closed to other users; the caller sees to it
	// that no other local stack has it. Required.
	Dir string
	// Processes starts the server. Required.
	Processes Processes
	// Log gets each line that the server prints once it is ready, on a goroutine of its own; a start that fails has the
	// lines in its error. It must not block. Nil discards them.
	Log func(line string)
}

// ClickHouse is a running private server.
type ClickHouse struct {
	program  *program
	folder   *folder
	binary   string
	version  string
	port     int
	password string
}

// clickHouseUser is the one account of the server; the database has the same name.
const clickHouseUser = "default"

// StartClickHouse starts a private ClickHouse server on a free port of 127.0.0.1, from an installed program, and returns
// once it answers. It has one account, whose password is another one at each start.
//
// Errors: ErrNoClickHouse if there is nothing to start; else they name the folder or quote the server.
func StartClickHouse(ctx context.Context, o ClickHouseOptions) (*ClickHouse, error) {
	binary, err := findClickHouse(clickHouseNames)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	o.Dir = dir
	a, err := serviceAccount(filepath.Join(dir, dataName))
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	f, err := openFolder(dir, a)
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	c := &ClickHouse{folder: f, binary: binary, password: rand.Text()}
	if err := c.start(ctx, o, a); err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	return c, nil
}

// clickHouseNames are what the program is called. Debian puts it where an ordinary user's PATH does not lead.
var clickHouseNames = []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "clickhouse"}

// findClickHouse returns the server's program.
func findClickHouse(names []string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoClickHouse
}

// start tries again where somebody else took the port that was free, and where the server of a stack that crashed still
// has the folder: its watchdog is ending it.
func (c *ClickHouse) start(ctx context.Context, o ClickHouseOptions, a account) (err error) {
	for until := time.Now().Add(10 * time.Second); ; {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err := c.writeConfig(a); err != nil {
			return err
		}
		if c.program, err = launch("clickhouse-server", c.command(a), o.Processes, syscall.SIGTERM); err != nil {
			return err
		}
		if c.version, err = c.ready(ctx); err == nil {
			c.program.output.follow(o.Log)
			return nil
		}
		c.program.stop(context.WithoutCancel(ctx), step{syscall.SIGTERM, false, 5 * time.Second})
		said := c.program.output.String()
		again := strings.Contains(said, "Address already in use") || strings.Contains(said, "Another server instance")
		if !again || time.Now().After(until) || !sleep(ctx, 250*time.Millisecond) {
			return err
		}
	}
}

func (c *ClickHouse) command(a account) *exec.Cmd {
	args := []string{"--config-file=" + c.folder.file(configName)}
	if filepath.Base(c.binary) == "clickhouse" {
		args = append([]string{"server"}, args...)
	}
	cmd := exec.Command(c.binary, args...)
	// Current servers fork a watchdog of their own where they have no terminal.
	cmd.Env = append(cleanEnvironment("CLICKHOUSE_"), "CLICKHOUSE_WATCHDOG_ENABLE=0")
	cmd.Dir = c.folder.path
	a.apply(cmd, c.folder.path)
	return cmd
}

// Address returns host:port of the native protocol.
func (c *ClickHouse) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

// Username returns the name of the account.
func (c *ClickHouse) Username() string { return clickHouseUser }

// Password returns the account's password.
func (c *ClickHouse) Password() string { return c.password }

// Database returns the name of the one database.
func (c *ClickHouse) Database() string { return clickHouseUser }

// What describes the server for a person: "ClickHouse 18.16.1 from /usr/sbin/clickhouse-server".
func (c *ClickHouse) What() string { return "ClickHouse " + c.version + " from " + c.binary }

// url is the connection string for this package's own connections.
func (c *ClickHouse) url() string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(clickHouseUser, c.password), Host: c.Address(), Path: "/" + clickHouseUser}
	return u.String()
}

// Done is closed once the server has ended, by Close or by itself. Err says why.
func (c *ClickHouse) Done() <-chan struct{} { return c.program.done }

// Err returns nil while the server runs and after a clean end, and what went wrong otherwise.
func (c *ClickHouse) Err() error {
	if !c.program.ended() || c.program.err == nil {
		return nil
	}
	return c.program.failure()
}

// Close ends the server and waits for that: first by SIGTERM, on which it writes everything to disk; if that takes more
// than 15 seconds or ctx ends, by harder means. The error says so then. Closing again does nothing.
func (c *ClickHouse) Close(ctx context.Context) error {
	if c.program.ended() {
		return nil
	}
	if steps := c.program.stop(ctx, step{signal: syscall.SIGTERM, wait: 15 * time.Second}); steps > 1 {
		return errors.New("stop ClickHouse: it did not end in good order and was killed")
	}
	return nil
}

// sleep waits, and reports whether ctx has not ended meanwhile.
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
