// Package pgconf configures connections to Postgres: the server and the credentials. The store's pool and the migration
// both use it.
package pgconf

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eragon-mdi/ksu/shared/config"
)

// ErrNoCredentials means that a connection could not get a user and password.
var ErrNoCredentials = errors.New("the credentials of the database are unavailable")

// wrongPassword is the code with which Postgres refuses a password. See
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
const wrongPassword = "28P01"

// Config is a pool's configuration. Its ConnConfig and BeforeConnect also serve a connection outside a pool.
type Config struct {
	*pgxpool.Config
	secret *secret // nil without a secret
	role   *role   // nil if the account itself logs in
}

// Parse returns the configuration of a pool. It does not fetch credentials: connections do, when they need them. It
// creates AWS clients only if the configuration needs them. Errors name the wrong key or variable, and never show a
// password.
func Parse(ctx context.Context, storage config.Storage) (*Config, error) {
	url := storage.URL()
	if url == "" {
		return nil, errors.New("DATABASE_URL is not set; it names the database, such as postgres://user:password@host:5432/name")
	}
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	c := &Config{Config: pool}
	switch {
	case storage.SecretARN != "":
		sdk, err := load(ctx, "DATABASE_SECRET_ARN")
		if err != nil {
			return nil, err
		}
		c.secret = newSecret(sdk, storage.SecretARN)
		c.BeforeConnect = c.secret.beforeConnect
	case storage.Auth == "iam":
		sdk, err := load(ctx, "STORAGE_AUTH=iam")
		if err != nil {
			return nil, err
		}
		c.BeforeConnect = token{sdk.Region, sdk.Credentials}.beforeConnect
	}
	if storage.Role != "" {
		c.role = &role{function: storage.Role, token: storage.SecretARN == "" && storage.Auth == "iam"}
		c.BeforeConnect = c.role.login(c.BeforeConnect)
	}
	return c, nil
}

// load reads the SDK's own configuration; why says what needs it.
func load(ctx context.Context, why string) (aws.Config, error) {
	sdk, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return sdk, fmt.Errorf("configure the AWS SDK for %s: %w", why, err)
	}
	if sdk.Region == "" {
		return sdk, fmt.Errorf("AWS_REGION is not set; %s needs it", why)
	}
	return sdk, nil
}

// Refused reports whether the server refused a connection's credentials and other credentials are worth an attempt:
// those of a rotated secret, or the account's if the function's role is refused.
func (c *Config) Refused(err error) bool {
	if c.role != nil && c.role.refuse(err, c.secret) {
		return true
	}
	var answer *pgconn.PgError
	var attempt *pgconn.ConnectError
	if c.secret == nil || !errors.As(err, &answer) || answer.Code != wrongPassword || !errors.As(err, &attempt) {
		return false
	}
	c.secret.forget(attempt.Config.Password)
	return true
}
