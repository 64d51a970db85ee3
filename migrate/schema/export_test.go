package schema

import (
	"context"

	"github.com/eragon-mdi/ksu/migrate/postgres"
	"github.com/eragon-mdi/ksu/shared/config"
)

// Postgres is the database at a URL, with the migrations that this build carries.
func Postgres(url string) *Target {
	return onPostgres(config.Storage{DatabaseURL: config.Secret(url)}, postgres.Files)
}

// Latest is the version of the newest migration of tasks.
func Latest() uint { return Postgres("").Latest() }

// Up is Target.Up of the database at a URL.
func Up(ctx context.Context, url string) (uint, error) { return Postgres(url).Up(ctx) }

// Version is Target.Version of the database at a URL.
func Version(ctx context.Context, url string) (uint, error) { return Postgres(url).Version(ctx) }
