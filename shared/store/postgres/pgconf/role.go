package pgconf

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// RoleName returns the name of a function's role. It begins with the database's name, since all databases of a server
// share its roles.
func RoleName(database, function string) string { return database + "_" + function }

// RolePassword returns the password of a function's role. It derives from the account's, so that nobody has to keep
// another secret. It is "" if the account has no password.
func RolePassword(account, role string) string {
	if account == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(account))
	mac.Write([]byte("role " + role))
	return hex.EncodeToString(mac.Sum(nil))
}

// role makes connections log in as a function's role. If the server refuses the role, because the migration could not
// create it, they log in as the account itself.
type role struct {
	function string
	// token means that the role has an IAM token instead of a password derived from the account's.
	token   bool
	refused atomic.Bool
	// last is the last password that the server refused.
	last atomic.Pointer[string]
}

// login replaces the account's credentials, which credentials fetches, with the role's.
func (r *role) login(credentials func(context.Context, *pgx.ConnConfig) error) func(context.Context, *pgx.ConnConfig) error {
	return func(ctx context.Context, cfg *pgx.ConnConfig) error {
		as := !r.refused.Load()
		if as && r.token {
			cfg.User = RoleName(cfg.Database, r.function)
		}
		if credentials != nil {
			if err := credentials(ctx, cfg); err != nil {
				return err
			}
		}
		if as && !r.token {
			cfg.User = RoleName(cfg.Database, r.function)
			cfg.Password = RolePassword(cfg.Password, cfg.User)
		}
		return nil
	}
}

// refuse reports whether an error means that the server refuses the role. Before the account replaces the role, the
// secret is read again: the account's password may have changed.
func (r *role) refuse(err error, secret *secret) bool {
	var answer *pgconn.PgError
	var attempt *pgconn.ConnectError
	if !errors.As(err, &answer) || !errors.As(err, &attempt) || attempt.Config.User != RoleName(attempt.Config.Database, r.function) {
		return false
	}
	if !strings.HasPrefix(answer.Code, invalidAuthorization) && (answer.Code != protocolViolation || !strings.Contains(answer.Message, "no such user")) {
		return false
	}
	password := attempt.Config.Password
	if last := r.last.Swap(&password); secret != nil && (last == nil || *last != password) {
		secret.forget("")
		return true
	}
	if !r.refused.Swap(true) {
		slog.Warn("function logs in as the database's own account: the server refuses the role that 'migrate up' creates",
			"role", attempt.Config.User, "error", answer)
	}
	return true
}

const (
	// invalidAuthorization is the class of SQLSTATEs with which Postgres refuses a login.
	invalidAuthorization = "28"
	// protocolViolation is PgBouncer's answer to an unknown user.
	protocolViolation = "08P01"
)
