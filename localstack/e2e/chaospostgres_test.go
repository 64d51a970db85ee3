package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// chaosStorage is where TestChaos keeps its tasks.
type chaosStorage interface {
	// parameters are the template's parameters that lead to it.
	parameters() string
	// keepHistory makes the storage record each change of a task. The schema is there.
	keepHistory()
	// history returns the changes of each task in order.
	history() map[string][]change
	// waiting counts the tasks without an ending.
	waiting(context.Context) (int, error)
	// inject causes a fault of this storage, and returns false for any other.
	inject(fault) bool
}

const unended = `SELECT count(*) FROM tasks WHERE status IN ('pending', 'running')`

// newChaosStorage returns a storage of a type, whose data is below folder.
func newChaosStorage(t *testing.T, kind, folder string, processes *process.Supervisor) chaosStorage {
	t.Helper()
	if kind == "internal" {
		return newChaosInternal(t, folder)
	}
	return newChaosPostgres(t, folder, processes)
}

// chaosPostgres is a private Postgres behind a proxy.
type chaosPostgres struct {
	t         *testing.T
	folder    string
	processes *process.Supervisor
	server    *postgres.Server
	proxy     faultProxy
	through   string // the database's URL through the proxy
}

func newChaosPostgres(t *testing.T, folder string, processes *process.Supervisor) *chaosPostgres {
	t.Helper()
	s := &chaosPostgres{t: t, folder: filepath.Join(folder, "postgres"), processes: processes}
	t.Cleanup(func() {
		if s.server == nil {
			return
		}
		if err := s.server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s.start()
	s.proxy, s.through = proxied(t, s.server.URL())
	return s
}

func (s *chaosPostgres) start() {
	server, err := postgres.Start(context.Background(), postgres.Options{
		Dir: s.folder, Processes: s.processes,
		Settings: map[string]string{"fsync": "off"}, // the test kills processes, not the machine
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = server
}

func (s *chaosPostgres) parameters() string { return fmt.Sprintf("DatabaseUrl=%q", s.through) }

func (s *chaosPostgres) inject(f fault) bool {
	switch f.kind {
	case "cut connections":
		s.proxy.cut()
	case "lose answers":
		s.proxy.loseAnswers(f.n)
	case "restart Postgres":
		s.restart(func() error { return s.server.Close(context.Background()) })
	case "crash Postgres":
		s.restart(s.crash)
	default:
		return false
	}
	return true
}

func (s *chaosPostgres) restart(stop func() error) {
	if err := stop(); err != nil {
		s.t.Error(err)
	}
	s.start()
	u, err := url.Parse(s.server.URL()) // it changes with each start
	if err != nil {
		s.t.Fatal(err)
	}
	s.proxy.redirect(u.Host)
}

// crash kills the server: clients get no message, and it writes no checkpoint.
func (s *chaosPostgres) crash() error {
	content, err := os.ReadFile(filepath.Join(s.folder, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return err
	}
	<-s.server.Done()
	return s.server.Close(context.Background())
}

const keepPostgresHistory = `
CREATE TABLE history (
    seq bigserial PRIMARY KEY, at timestamptz NOT NULL, id uuid NOT NULL, status text NOT NULL, attempt int NOT NULL,
    lease timestamptz, due timestamptz NOT NULL, type text NOT NULL, key text NOT NULL, ending text
);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ -- the functions' roles do not know the table
BEGIN
    INSERT INTO history (at, id, status, attempt, lease, due, type, key, ending)
    VALUES (clock_timestamp(), NEW.id, NEW.status, NEW.attempt, NEW.lease_expires_at,
        coalesce(NEW.run_at, NEW.created_at), NEW.type, NEW.fairness_key, coalesce(NEW.result, NEW.error));
    RETURN NULL;
END $$;
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION keep_history();`

func (s *chaosPostgres) keepHistory() { execute(s.t, s.server.URL(), keepPostgresHistory) }

func (s *chaosPostgres) history() map[string][]change {
	s.t.Helper()
	ctx := context.WithoutCancel(s.t.Context())
	conn, err := pgx.Connect(ctx, s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT at, id::text, status, attempt, coalesce(lease, '0001-01-01 00:00:00Z'), due, type, key,
		coalesce(ending, '') FROM history ORDER BY id, seq`)
	if err != nil {
		s.t.Fatal(err)
	}
	history := map[string][]change{}
	var c change
	_, err = pgx.ForEachRow(rows, []any{&c.at, &c.task, &c.status, &c.attempt, &c.lease, &c.due, &c.kind, &c.key, &c.ending}, func() error {
		history[c.task] = append(history[c.task], c)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return history
}

func (s *chaosPostgres) waiting(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, s.server.URL())
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	return n, conn.QueryRow(ctx, unended).Scan(&n)
}
