package pgconf

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eragon-mdi/ksu/shared/config"
)

func TestRolePassword(t *testing.T) {
	t.Parallel()
	api, worker := RolePassword("secret", "ksu_api"), RolePassword("secret", "ksu_worker")
	if len(api) != 64 || api == worker || api != RolePassword("secret", "ksu_api") || api == RolePassword("other", "ksu_api") {
		t.Errorf("%s, %s; want 64 digits that depend on the account's password and the role alone", api, worker)
	}
	if got := RolePassword("", "ksu_api"); got != "" {
		t.Errorf("%q for an account without a password; want none, since anybody could derive it", got)
	}
}

// TestRefusedRole checks which errors of a role's login make the account replace it.
func TestRefusedRole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer pgconn.PgError
		want   bool
	}{
		"wrong password":   {pgconn.PgError{Code: "28P01"}, true},
		"no such role":     {pgconn.PgError{Code: "28000"}, true},
		"no such user":     {pgconn.PgError{Code: "08P01", Message: "no such user: ksu_api"}, true},
		"query_wait":       {pgconn.PgError{Code: "08P01", Message: "query_wait_timeout"}, false},
		"too many clients": {pgconn.PgError{Code: "53300"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := Parse(t.Context(), config.Storage{DatabaseURL: "postgres://ksu:secret@h/ksu", Role: "api"})
			if err != nil {
				t.Fatal(err)
			}
			as := func() *pgx.ConnConfig {
				attempt := cfg.ConnConfig.Copy()
				if err := cfg.BeforeConnect(t.Context(), attempt); err != nil {
					t.Fatal(err)
				}
				return attempt
			}
			first := as()
			if first.User != "ksu_api" || first.Password != RolePassword("secret", "ksu_api") {
				t.Fatalf("logs in as %s with %s", first.User, first.Password)
			}
			refusal := errors.Join(&pgconn.ConnectError{Config: &first.Config}, &c.answer)
			if got := cfg.Refused(refusal); got != c.want {
				t.Errorf("Refused(%s) = %t, want %t", c.answer.Code, got, c.want)
			}
			if again := as(); (again.User == "ksu" && again.Password == "secret") != c.want {
				t.Errorf("then logs in as %s", again.User)
			}
		})
	}
}
