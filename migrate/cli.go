package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/eragon-mdi/ksu/migrate/schema"
)

const usage = `usage: migrate COMMAND, with the database in DATABASE_URL, or as KSU_CONFIG and STORAGE_… say: STORAGE_TYPE=internal STORAGE_PATH=file
  up         run the migrations that the database lacks, and that ClickHouse lacks where CLICKHOUSE_ADDRESS names one
  down [N]   take back the last N migrations, by default 1
  version    print the version of the database's schema and of this build
  logs …     the same commands for ClickHouse alone: logs up, logs down [N], logs version
  new NAME   write the next pair of migration files into migrate/postgres and migrate/sqlite`

// targets are the databases.
type targets struct {
	tasks *schema.Target
	// leaveTasks says that up skips the tasks' schema.
	leaveTasks bool
	// logs is nil if ClickHouse is not configured.
	logs *schema.Target
}

const leftAlone = "the schema is left alone, since storage.need_migrate is false"

var errNoLogs = errors.New("CLICKHOUSE_ADDRESS is not set; it names the server of the logs, such as clickhouse:9000")

// run is the CLI: args are the command and its arguments.
func run(ctx context.Context, args []string, t targets, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("no command\n" + usage)
	}
	command, args := args[0], args[1:]
	switch command {
	case "up":
		if err := upTasks(ctx, args, t, out); err != nil || t.logs == nil {
			return err
		}
		return migrate(ctx, command, args, t.logs, "log schema", out)
	case "down", "version":
		return migrate(ctx, command, args, t.tasks, "schema", out)
	case "logs":
		if len(args) == 0 {
			return errors.New("logs needs a command\n" + usage)
		}
		return migrate(ctx, args[0], args[1:], t.logs, "log schema", out)
	case "new":
		if len(args) != 1 {
			return errors.New("new needs one NAME\n" + usage)
		}
		return newPairs(args[0], out)
	case "help", "-h", "--help":
		_, err := fmt.Fprintln(out, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q\n%s", command, usage)
	}
}

// upTasks migrates the tasks' schema up, unless leaveTasks is set.
func upTasks(ctx context.Context, args []string, t targets, out io.Writer) error {
	if t.leaveTasks {
		_, err := fmt.Fprintln(out, leftAlone)
		return err
	}
	return migrate(ctx, "up", args, t.tasks, "schema", out)
}

// migrate runs a command on one database and prints the version that it leaves.
func migrate(ctx context.Context, command string, args []string, target *schema.Target, what string, out io.Writer) error {
	n := 1
	var err error
	switch command {
	case "up", "version":
		err = atMost(command, args, 0)
	case "down":
		n, err = steps(args)
	default:
		err = fmt.Errorf("unknown command \"logs %s\"\n%s", command, usage)
	}
	if err != nil {
		return err
	}
	if target == nil {
		return errNoLogs
	}
	var version uint
	switch command {
	case "up":
		version, err = target.Up(ctx)
	case "down":
		version, err = target.Down(ctx, n)
	default:
		version, err = target.Version(ctx)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s version %d (this build has %d)\n", what, version, target.Latest())
	return err
}

func atMost(command string, args []string, n int) error {
	if len(args) > n {
		return fmt.Errorf("%s: unexpected argument %q\n%s", command, args[n], usage)
	}
	return nil
}

func steps(args []string) (int, error) {
	if err := atMost("down", args, 1); err != nil {
		return 0, err
	}
	if len(args) == 0 {
		return 1, nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("down: N is %q; it must be a whole number from 1\n%s", args[0], usage)
	}
	return n, nil
}

func newPairs(name string, out io.Writer) error {
	root, err := sources()
	if err != nil {
		return err
	}
	paths, err := schema.New(root, name)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if _, err := fmt.Fprintln(out, path); err != nil {
			return err
		}
	}
	return nil
}

// sources finds the folder migrate from anywhere inside the checkout.
func sources() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the folder migrate: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "migrate")
		if info, err := os.Stat(filepath.Join(found, "postgres")); err == nil && info.IsDir() {
			return found, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder migrate/postgres in %s or above: run new inside the checkout", start)
		}
	}
}
