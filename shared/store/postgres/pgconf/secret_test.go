package pgconf_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/store/postgres/pgconf"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// TestRotation changes the password of a store in use.
func TestRotation(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arn := a.storage.SecretARN
	a.migrate()
	before := secrets.called(arn)
	s, err := postgres.Open(t.Context(), a.storage)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	id := uuid.New()
	if _, _, err := s.Create(t.Context(), id, task.Submission{}, task.Key{}); err != nil {
		t.Fatal(err)
	}
	a.endSessions()
	for range 3 {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n := secrets.called(arn) - before; n != 1 {
		t.Errorf("the secret was fetched %d times before the rotation; want 1", n)
	}
	for range 3 {
		a.rotate()
		var both sync.WaitGroup // the pool has two connections
		for range 2 {
			both.Go(func() {
				if _, err := s.Get(t.Context(), id); err != nil {
					t.Error("after the rotation: ", err)
				}
			})
		}
		both.Wait()
	}
	if n := secrets.called(arn) - before; n != 4 {
		t.Errorf("the secret was fetched %d times; want 1, and once for each rotation", n)
	}
}

// TestRotationUnderWay tests the moment when the server has the new password and the secret does not.
func TestRotationUnderWay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.migrate()
	s, err := postgres.Open(t.Context(), a.storage)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for name, step := range map[string]func() error{
		"List": func() error { _, err := s.List(t.Context(), task.Page{}); return err },
		"Create": func() error {
			_, _, err := s.Create(t.Context(), uuid.New(), task.Submission{}, task.Key{})
			return err
		},
	} {
		old := secrets.value(a.storage.SecretARN)
		a.rotate()
		renewed := secrets.value(a.storage.SecretARN)
		secrets.put(a.storage.SecretARN, old)
		if err := step(); !errors.Is(err, task.ErrUnavailable) {
			t.Errorf("%s with the old secret: %v; want ErrUnavailable", name, err)
		}
		secrets.put(a.storage.SecretARN, renewed)
		if err := step(); err != nil {
			t.Errorf("%s with the new secret: %v", name, err)
		}
	}
}

func TestSecretOfAnotherPassword(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	secrets.put(a.storage.SecretARN, `{"username":"postgres","password":"geheim"}`)
	s, err := postgres.Open(t.Context(), a.storage)
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "28P01") {
		t.Errorf("Open = %v, %v; want the server's refusal without the password", s, err)
	}
	secrets.put(a.storage.SecretARN, `geheim`)
	if s, err = postgres.Open(t.Context(), a.storage); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.List(t.Context(), task.Page{}); !errors.Is(err, task.ErrUnavailable) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("List: %v; want ErrUnavailable without the secret", err)
	}
}

// TestSecretsManagerHangs checks that a connection attempt that nobody waits for frees its place in the pool.
func TestSecretsManagerHangs(t *testing.T) {
	t.Parallel()
	c, err := pgconf.Parse(t.Context(), config.Storage{
		SecretARN: "arn:aws:secretsmanager:eu-west-1:1:secret:hangs", DatabaseURL: "postgres://h/d",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = c.BeforeConnect(ctx, c.ConnConfig)
	if !errors.Is(err, pgconf.ErrNoCredentials) || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("BeforeConnect = %v, the caller's context %v; want a time-out of its own", err, ctx.Err())
	}
}

// migrate gives the account's database the newest schema. The tables are the account's own.
func (a account) migrate() {
	a.t.Helper()
	u, err := url.Parse(string(a.storage.DatabaseURL))
	if err != nil {
		a.t.Fatal(err)
	}
	var login struct{ Username, Password string }
	if err := json.Unmarshal([]byte(secrets.value(a.storage.SecretARN)), &login); err != nil {
		a.t.Fatal(err)
	}
	u.User = url.UserPassword(login.Username, login.Password)
	testserver.MigratePostgres(a.t, u.String())
}
