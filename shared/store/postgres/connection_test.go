package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store/storetest"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

// through returns a proxy to the database's server and the URL through it.
func through(t testing.TB, address string) (*netfault.Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := netfault.New(t, u.Host)
	u.Host = p.Address()
	return p, u.String()
}

func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	p, url := through(t, testserver.Postgres(t))
	s, ctx := open(t, url), t.Context()
	policy := task.RetryPolicy{MaxAttempts: 3, Reason: "gone"}
	for name, step := range map[string]func() error{
		"Create": func() error {
			_, _, err := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{})
			return err
		},
		"Create with a key": func() error {
			_, _, err := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{Name: uuid.NewString()})
			return err
		},
		"Get":            func() error { _, err := s.Get(ctx, storetest.NewID(t)); return err },
		"List":           func() error { _, err := s.List(ctx, task.Page{}); return err },
		"List by status": func() error { _, err := s.List(ctx, task.Page{Status: task.Failed}); return err },
		"Cancel":         func() error { return s.Cancel(ctx, storetest.NewID(t)) },
		"Claim":          func() error { _, err := s.Claim(ctx, storetest.Hour); return err },
		"Load":           func() error { _, err := s.Load(ctx, 1); return err },
		"Heartbeat":      func() error { return s.Heartbeat(ctx, storetest.NewID(t), 1, time.Hour, nil) },
		"Complete":       func() error { return s.Complete(ctx, storetest.NewID(t), 1, []byte(`"result"`), nil) },
		"Fail":           func() error { return s.Fail(ctx, storetest.NewID(t), 1, "reason", nil) },
		"Retry": func() error {
			_, err := s.Requeue(ctx, storetest.NewID(t), 1, "reason", time.Second, 3, nil)
			return err
		},
		"Release":  func() error { return s.Release(ctx, storetest.NewID(t), 1, 0) },
		"Wake":     func() error { _, err := s.Wake(ctx, 100); return err },
		"Announce": func() error { _, err := s.Announce(ctx, 100); return err },
		"Expire":   func() error { _, err := s.Expire(ctx, 100); return err },
		"Rescue":   func() error { _, err := s.Rescue(ctx, 100, policy); return err },
		"Purge":    func() error { _, err := s.Purge(ctx, 100, task.Retention{}); return err },
	} {
		trips := 0
		for range 5 { // the first prepares the statement; one after a second of idleness pings
			trips = p.RoundTrips(func() {
				if err := step(); errors.Is(err, task.ErrUnavailable) {
					t.Error(name, err)
				}
			})
			if trips == 1 {
				break
			}
		}
		if trips != 1 {
			t.Errorf("%s takes %d round trips; want 1", name, trips)
		}
	}
}

// TestCutConnections checks that statements after a restart of the server succeed at once.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(t *testing.T, p *netfault.Proxy, url string){
		"by the network": func(t *testing.T, p *netfault.Proxy, url string) { p.Cut() },
		"by the server": func(t *testing.T, p *netfault.Proxy, url string) {
			exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, t.Name())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := testserver.Postgres(t)
			p, url := through(t, direct)
			s, ctx := openWith(t, config.Storage{DatabaseURL: config.Secret(url + "&application_name=" + t.Name()), MaxConnections: 2}), t.Context()
			for range 3 {
				id := storetest.Create(t, s)
				both(t, s) // the pool has two connections
				cut(t, p, direct)
				second := storetest.Create(t, s)
				both(t, s)
				cut(t, p, direct)
				if _, err := s.Get(ctx, id); err != nil {
					t.Fatal(err)
				}
				both(t, s)
				cut(t, p, direct)
				list, err := s.List(ctx, task.Page{Limit: 2})
				if err != nil || len(list) != 2 || list[0].ID != second {
					t.Fatalf("List = %v, %v; want %s first", list, err, second)
				}
			}
		})
	}
}

// both makes the pool use both its connections.
func both(t *testing.T, s *Store) {
	t.Helper()
	for range 2 {
		conn, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
}

// TestLostAnswers cuts the connection after the server has executed the statement.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	p, url := through(t, testserver.Postgres(t))
	s, ctx := open(t, url), t.Context()
	for _, key := range []task.Key{{}, {Name: "k", Request: []byte("body")}} {
		for range 2 { // the first lost answer is that to the preparation
			p.LoseAnswers(1)
			id := storetest.NewID(t)
			made, created, err := s.Create(ctx, id, task.Submission{}, key)
			if err != nil || !created || made.ID != id {
				t.Fatalf("Create = %+v, %t, %v; want task %s created", made, created, err, id)
			}
			if got, err := s.Get(ctx, id); err != nil || !got.CreatedAt.Equal(made.CreatedAt) {
				t.Fatalf("Get = %+v, %v; want %+v", got, err, made)
			}
			if key.Name != "" {
				key.Name += "'"
			}
		}
	}
	if list, err := s.List(ctx, task.Page{}); err != nil || len(list) != 4 {
		t.Errorf("%d tasks, %v; want 4", len(list), err)
	}
	storetest.Claim(t, s) // prepares the statements
	p.LoseAnswers(1)
	if claimed, err := s.Claim(ctx, storetest.Hour); !errors.Is(err, task.ErrUnavailable) {
		t.Errorf("Claim = %+v, %v; want ErrUnavailable, since a second claim would take another task", claimed, err)
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	p, url := through(t, testserver.Postgres(t))
	s, ctx := open(t, url), t.Context()
	p.Refuse()
	_, _, created := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{})
	_, _, keyed := s.Create(ctx, storetest.NewID(t), task.Submission{}, task.Key{Name: "k"})
	_, got := s.Get(ctx, storetest.NewID(t))
	_, listed := s.List(ctx, task.Page{})
	_, claimed := s.Claim(ctx, storetest.Hour)
	_, announced := s.Announce(ctx, 1)
	for name, err := range map[string]error{
		"Create": created, "Create with a key": keyed, "Get": got, "List": listed, "Claim": claimed, "Announce": announced,
		"Complete": s.Complete(ctx, storetest.NewID(t), 1, []byte(`""`), nil), "Cancel": s.Cancel(ctx, storetest.NewID(t)),
	} {
		if !errors.Is(err, task.ErrUnavailable) {
			t.Errorf("%s without a server = %v; want ErrUnavailable", name, err)
		}
	}
}

// TestOpenWithoutServer checks that a store that was opened while the server was unreachable works once it is
// reachable.
func TestOpenWithoutServer(t *testing.T) {
	t.Parallel()
	direct := testserver.Postgres(t)
	p, indirect := through(t, direct)
	p.Redirect("127.0.0.1:1") // nothing listens there
	s := open(t, indirect)
	if _, _, err := s.Create(t.Context(), storetest.NewID(t), task.Submission{}, task.Key{}); !errors.Is(err, task.ErrUnavailable) {
		t.Errorf("Create without a server = %v; want ErrUnavailable", err)
	}
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	p.Redirect(u.Host)
	storetest.Create(t, s)
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	late, stop := context.WithTimeout(t.Context(), time.Millisecond)
	t.Cleanup(stop)
	wrong, err := url.Parse(testserver.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword("nobody", "secret")
	for name, test := range map[string]struct {
		ctx       context.Context
		url, want string
	}{
		"no URL":             {t.Context(), "", "DATABASE_URL is not set"},
		"bad URL":            {t.Context(), "postgres://app:secret@host:x/", "DATABASE_URL"},
		"unknown user":       {t.Context(), wrong.String(), "connect to Postgres"},
		"caller has no time": {late, "postgres://app:secret@127.0.0.1:1/app", "connect to Postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(test.ctx, config.Storage{DatabaseURL: config.Secret(test.url)})
			if s != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Open = %v, %v; want %q in the error, and no password", s, err, test.want)
			}
		})
	}
}
