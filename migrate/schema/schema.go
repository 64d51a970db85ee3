// Package schema brings a Postgres database to the version of the schema that this build of the application needs.
package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	driver "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"ksu/migrate/postgres"
)

// ErrDirty says that a migration was cut off. Up repeats it; the other commands refuse to work on what may be half of
// a schema.
var ErrDirty = errors.New("the last migration was cut off; run up, which repeats it")

// Latest is the version of the newest embedded migration.
func Latest() uint {
	versions, err := versions(postgres.Files)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return versions[len(versions)-1]
}

// versions lists the migrations of a file system in their order.
func versions(files fs.FS) ([]uint, error) {
	names, err := fs.Glob(files, "*.up.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("list migrations: there is none")
	}
	list := make([]uint, len(names))
	for i, name := range names { // sorted by name, and the numbers have a fixed width
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("migration %s: its name does not begin with a number: %w", name, err)
		}
		list[i] = uint(n)
	}
	return list, nil
}

// Up runs the migrations that the database lacks and returns its version. Of several at once, one works and the others
// wait. A database that is newer than this build is left as it is: code that was rolled back works on the schema of its
// successor. A server that does not answer yet is tried again for some seconds.
func Up(ctx context.Context, url string) (uint, error) {
	return with(ctx, url, func(m *migrate.Migrate) error {
		version, dirty, err := version(m)
		if err != nil {
			return err
		}
		if dirty {
			if err := m.Force(predecessor(version)); err != nil {
				return fmt.Errorf("repeat migration %d, which was cut off: %w", version, err)
			}
		} else if version > Latest() {
			return nil
		}
		if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
			return fmt.Errorf("migrate up: %w", err)
		}
		return nil
	})
}

// Down takes back the last n migrations, all of them when n is 0, and returns the version that is left.
func Down(ctx context.Context, url string, n int) (uint, error) {
	return with(ctx, url, func(m *migrate.Migrate) error {
		version, dirty, err := version(m)
		if err != nil {
			return err
		}
		if dirty {
			return fmt.Errorf("migrate down from version %d: %w", version, ErrDirty)
		}
		if n == 0 {
			err = m.Down()
		} else {
			err = m.Steps(-n)
		}
		switch {
		case errors.As(err, new(migrate.ErrShortLimit)), errors.Is(err, migrate.ErrNoChange):
			return nil // fewer than n were there, and all of them are gone
		case version == 0 && errors.Is(err, os.ErrNotExist):
			return nil // none was there
		case err != nil:
			return fmt.Errorf("migrate down from version %d: %w", version, err)
		}
		return nil
	})
}

// Version returns the version of the database's schema, 0 for an empty one. It returns ErrDirty with the number of a
// migration that was cut off.
func Version(ctx context.Context, url string) (uint, error) {
	var cut bool
	v, err := with(ctx, url, func(m *migrate.Migrate) (err error) {
		_, cut, err = version(m)
		return err
	})
	if err == nil && cut {
		err = fmt.Errorf("version %d: %w", v, ErrDirty)
	}
	return v, err
}

// predecessor is the version before the given one as migrate.Force takes it: -1 is the empty database.
func predecessor(version uint) int {
	before := -1
	list, err := versions(postgres.Files)
	if err != nil {
		return before
	}
	for _, v := range list {
		if v < version {
			before = int(v)
		}
	}
	return before
}

func version(m *migrate.Migrate) (uint, bool, error) {
	v, dirty, err := m.Version()
	if err != nil && !errors.Is(err, migrate.ErrNilVersion) {
		return 0, false, fmt.Errorf("read schema version: %w", err)
	}
	return v, dirty, nil
}

// with calls do with a migrator on the database and returns the version afterwards. The migrator stops between two
// migrations when ctx ends.
func with(ctx context.Context, url string, do func(*migrate.Migrate) error) (_ uint, err error) {
	db, err := connect(ctx, url)
	if err != nil {
		return 0, err
	}
	m, err := migrator(db)
	if err != nil {
		return 0, errors.Join(err, db.Close())
	}
	defer func() {
		sourceErr, databaseErr := m.Close()
		if err == nil {
			err = errors.Join(sourceErr, databaseErr)
		}
	}()
	stop := context.AfterFunc(ctx, func() {
		select {
		case m.GracefulStop <- true:
		default:
		}
	})
	defer stop()
	if err := do(m); err != nil {
		return 0, err
	}
	v, _, err := version(m)
	if err == nil {
		err = ctx.Err() // a graceful stop is no error to the migrator
	}
	return v, err
}

func migrator(db *sql.DB) (*migrate.Migrate, error) {
	source, err := iofs.New(postgres.Files, ".")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	target, err := driver.WithInstance(db, &driver.Config{})
	if err != nil {
		return nil, fmt.Errorf("prepare the table schema_migrations: %w", err)
	}
	m, err := migrate.NewWithInstance("embedded", source, "postgres", target)
	if err != nil {
		return nil, fmt.Errorf("set up migrations: %w", err)
	}
	return m, nil
}
