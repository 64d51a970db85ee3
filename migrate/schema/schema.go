// Package schema brings databases to this build's version of their schema: tasks in Postgres or in the internal store
// (Tasks), and logs in ClickHouse (Logs). Postgres and the internal store have separate migrations under the same
// numbers.
package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/eragon-mdi/ksu/shared/config"
)

// ErrDirty means that a migration was cut off. Up repeats it; the other commands refuse to work on half a schema.
var ErrDirty = errors.New("the last migration was cut off; run up, which repeats it")

// Target is a database with its migrations.
type Target struct {
	files   fs.FS
	connect func(context.Context) (*sql.DB, error)
	driver  func(*sql.DB) (database.Driver, error)
	// alone waits for the lock on the database's migrations, and returns its release. If it is nil, there is no lock.
	alone func(context.Context, *sql.DB) (release func(), err error)
	// prepare runs before the migrations; its error refuses them. It may be nil.
	prepare func(context.Context, *sql.DB) error
	// finish runs after the migrations, for statements that they cannot contain. It may be nil.
	finish func(context.Context, *sql.DB) error
}

// internal returns the target of the internal store. It is nil in a build without the internal store.
var internal func(config.Storage) *Target

// Tasks returns the database with the tasks. Postgres gets the migrations of the folder storage.migrate_src, else this
// build's. The internal store always gets this build's. Tasks fails for a store that this build does not support.
func Tasks(storage config.Storage) (*Target, error) {
	if storage.Type == "internal" {
		if internal == nil {
			return nil, errors.New(`storage.type is "internal"; this build supports postgres only`)
		}
		if storage.MigrateSource != "" {
			slog.Warn("storage.migrate_src is for Postgres; the internal store uses this build's migrations")
		}
		return internal(storage), nil
	}
	files, err := source(storage.MigrateSource)
	if err != nil {
		return nil, fmt.Errorf("storage.migrate_src: %w", err)
	}
	return onPostgres(storage, files), nil
}

// ForFunctions is Tasks for the functions of a configuration. On Postgres, Up also creates a role for each function.
// Before it changes anything, Up refuses functions that need more connections than the server has.
func ForFunctions(cfg *config.Config) (*Target, error) {
	t, err := Tasks(cfg.Storage)
	if err != nil || cfg.Storage.Type == "internal" {
		return t, err
	}
	var found connections
	t.prepare = func(ctx context.Context, db *sql.DB) (err error) {
		if found, err = connectionsOf(ctx, db, cfg.App); err != nil {
			return err
		}
		return found.check(cfg.App)
	}
	if makesRoles(cfg.Storage) {
		t.finish = func(ctx context.Context, db *sql.DB) error {
			return makeRoles(ctx, db, cfg.Storage.Roles, found.limits())
		}
	}
	return t, nil
}

func onPostgres(storage config.Storage, files fs.FS) *Target {
	return &Target{
		files:   files,
		connect: func(ctx context.Context) (*sql.DB, error) { return connect(ctx, storage) },
		driver:  func(db *sql.DB) (database.Driver, error) { return newSession(db) },
		alone:   alone,
	}
}

// Latest is the version of the newest migration of this build.
func (t *Target) Latest() uint {
	versions, err := versions(t.files)
	if err != nil {
		panic(err) // they are embedded, or were read before
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
		return nil, errors.New("list migrations: the folder has none")
	}
	list := make([]uint, len(names))
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("migration %s: its name does not begin with a number: %w", name, err)
		}
		list[i] = uint(n)
	}
	slices.Sort(list)
	return list, nil
}

// Up runs the missing migrations and returns the database's version. Of concurrent Ups, one works and the others wait.
// Up leaves a database that is newer than this build as it is: code that was rolled back works on its successor's
// schema. If the server does not answer, Up retries for some seconds. It creates the internal store's file and its
// folder.
func (t *Target) Up(ctx context.Context) (uint, error) {
	return t.with(ctx, func(m *migrate.Migrate, db *sql.DB) error {
		if t.prepare != nil {
			if err := t.prepare(ctx, db); err != nil {
				return err
			}
		}
		version, dirty, err := version(m)
		if err != nil {
			return err
		}
		if dirty {
			if err := m.Force(t.predecessor(version)); err != nil {
				return fmt.Errorf("repeat migration %d, which was cut off: %w", version, err)
			}
		} else if version > t.Latest() {
			return nil
		}
		if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
			return fmt.Errorf("migrate up: %w", err)
		}
		if t.finish != nil {
			return t.finish(ctx, db)
		}
		return nil
	})
}

// Down reverts the last n migrations, all of them if n is 0, and returns the remaining version.
func (t *Target) Down(ctx context.Context, n int) (uint, error) {
	return t.with(ctx, func(m *migrate.Migrate, _ *sql.DB) error {
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
			return nil // fewer than n existed, and all are reverted
		case version == 0 && errors.Is(err, os.ErrNotExist):
			return nil // no migration to revert
		case err != nil:
			return fmt.Errorf("migrate down from version %d: %w", version, err)
		}
		return nil
	})
}

// Version returns the version of the database's schema, 0 for an empty one. After a migration that was cut off, it
// returns that migration's number and ErrDirty.
func (t *Target) Version(ctx context.Context) (uint, error) {
	var cut bool
	v, err := t.with(ctx, func(m *migrate.Migrate, _ *sql.DB) (err error) {
		_, cut, err = version(m)
		return err
	})
	if err == nil && cut {
		err = fmt.Errorf("version %d: %w", v, ErrDirty)
	}
	return v, err
}

// predecessor is the version before the given one in the form of migrate.Force: -1 is the empty database.
func (t *Target) predecessor(version uint) int {
	before := -1
	list, err := versions(t.files)
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

// with calls do with a migrator on the database and returns the version afterwards. When ctx ends, the migrator stops
// between two migrations.
func (t *Target) with(ctx context.Context, do func(*migrate.Migrate, *sql.DB) error) (_ uint, err error) {
	db, err := t.connect(ctx)
	if err != nil {
		return 0, err
	}
	if t.alone != nil {
		release, err := t.alone(ctx, db)
		if err != nil {
			return 0, errors.Join(err, db.Close())
		}
		defer release()
	}
	m, err := t.migrator(db)
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
	if err := do(m, db); err != nil {
		return 0, err
	}
	v, _, err := version(m)
	if err == nil {
		err = ctx.Err() // the migrator returns no error for a graceful stop
	}
	return v, err
}

func (t *Target) migrator(db *sql.DB) (*migrate.Migrate, error) {
	source, err := iofs.New(t.files, ".")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	target, err := t.driver(db)
	if err != nil {
		return nil, fmt.Errorf("prepare the table schema_migrations: %w", err)
	}
	m, err := migrate.NewWithInstance("embedded", source, "database", target)
	if err != nil {
		return nil, fmt.Errorf("set up migrations: %w", err)
	}
	return m, nil
}
