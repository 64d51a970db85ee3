package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"ksu/migrate/schema"
)

const usage = `usage: migrate COMMAND, with the database in DATABASE_URL
  up         run the migrations that the database lacks
  down [N]   take back the last N migrations, by default 1
  version    print the version of the database's schema and of this build
  new NAME   write the next pair of migration files into migrate/postgres`

// run is the CLI: args are the command and its arguments, url the database.
func run(ctx context.Context, args []string, url string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("no command\n" + usage)
	}
	command, args := args[0], args[1:]
	switch command {
	case "up":
		if err := atMost(command, args, 0); err != nil {
			return err
		}
		version, err := schema.Up(ctx, url)
		return report(out, version, err)
	case "down":
		n, err := steps(args)
		if err != nil {
			return err
		}
		version, err := schema.Down(ctx, url, n)
		return report(out, version, err)
	case "version":
		if err := atMost(command, args, 0); err != nil {
			return err
		}
		version, err := schema.Version(ctx, url)
		return report(out, version, err)
	case "new":
		if len(args) != 1 {
			return errors.New("new needs one NAME\n" + usage)
		}
		return newPair(args[0], out)
	case "help", "-h", "--help":
		_, err := fmt.Fprintln(out, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q\n%s", command, usage)
	}
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

func report(out io.Writer, version uint, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "schema version %d (this build has %d)\n", version, schema.Latest())
	return err
}

func newPair(name string, out io.Writer) error {
	dir, err := sources()
	if err != nil {
		return err
	}
	pair, err := schema.New(dir, name)
	if err != nil {
		return err
	}
	for _, path := range pair {
		if _, err := fmt.Fprintln(out, path); err != nil {
			return err
		}
	}
	return nil
}

// sources finds the folder of the migrations from anywhere inside the checkout.
func sources() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find migrate/postgres: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "migrate", "postgres")
		if info, err := os.Stat(found); err == nil && info.IsDir() {
			return found, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder migrate/postgres in %s or above: new works inside the checkout", start)
		}
	}
}
