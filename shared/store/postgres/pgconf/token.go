package pgconf

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/jackc/pgx/v5"
)

// token gives each connection a password from IAM: signed here, without a call, and valid for 15 minutes. See
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html.
type token struct {
	region      string
	credentials aws.CredentialsProvider
}

func (t token) beforeConnect(ctx context.Context, cfg *pgx.ConnConfig) error {
	endpoint := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	password, err := auth.BuildAuthToken(ctx, endpoint, t.region, cfg.User, t.credentials)
	if err != nil {
		return fmt.Errorf("%w: IAM token for user %s: %w", ErrNoCredentials, cfg.User, err)
	}
	cfg.Password = password
	return nil
}
