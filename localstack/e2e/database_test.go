package e2e_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// postgresURL starts a private Postgres for the test, outside the stack.
func postgresURL(t testing.TB) string {
	t.Helper()
	return postgresWith(t, nil)
}

// supervisor returns what starts processes. It ends them with the test.
func supervisor(t testing.TB) *process.Supervisor {
	t.Helper()
	s, err := process.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// postgresWith is postgresURL with settings of the server.
func postgresWith(t testing.TB, settings map[string]string) string {
	t.Helper()
	processes := supervisor(t)
	server, err := postgres.Start(t.Context(), postgres.Options{
		Dir: filepath.Join(t.TempDir(), "postgres"), Processes: processes, Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server.URL()
}

// execute runs statements on a database.
func execute(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestDatabaseAway checks a running function without its database: every route answers 503 with Retry-After, and works
// again as soon as the database does.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	proxy, through := proxied(t, database)
	s := start(t, t.TempDir(), `JobMinDuration=4m JobMaxDuration=5m DatabaseUrl="`+through+`"`)
	id := s.submit()
	proxy.redirect("127.0.0.1:1") // where nothing listens
	proxy.cut()
	for _, route := range []struct{ method, path string }{
		{"POST", "/task"}, {"GET", "/task"}, {"GET", "/task/" + id + "/status"}, {"GET", "/task/" + id + "/result"}, {"DELETE", "/task/" + id},
	} {
		began := time.Now()
		r := s.do(route.method, route.path, "", "Idempotency-Key", uuid.NewString())
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") != "5" ||
			r.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(r.body, `"status":503`) || strings.Contains(r.body, "127.0.0.1") {
			t.Errorf("%s %s: %d %v %s; want 503, Retry-After and a problem without addresses", route.method, route.path, r.status, r.header, r.body)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s %s took %s to say so", route.method, route.path, took)
		}
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	proxy.redirect(u.Host)
	if r := s.do("GET", "/task/"+id+"/status", ""); r.status != http.StatusOK {
		t.Errorf("with the database back: %d %s", r.status, r.body)
	}
	s.submit()
}

// TestDatabaseAwayFromColdStarts checks environments that start without a database: they answer 503, and work as soon
// as the database does, without a restart.
func TestDatabaseAwayFromColdStarts(t *testing.T) {
	t.Parallel()
	database := postgresURL(t)
	proxy, through := proxied(t, database)
	s := start(t, t.TempDir(), `JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0 DatabaseUrl="`+through+`"`)
	before := s.submit()
	s.until("the task to complete", 20*time.Second, func() bool { return s.status(before) == "completed" })
	proxy.redirect("127.0.0.1:1") // where nothing listens
	proxy.cut()
	for _, p := range family(t, s.cmd.Process.Pid) {
		if strings.Contains(p.command, "/functions/") {
			if err := syscall.Kill(p.id, syscall.SIGKILL); err != nil {
				t.Errorf("kill %+v: %v", p, err)
			}
		}
	}
	// Until the stack notices the death, it sends requests to the dead environment, as AWS does.
	s.until("a new environment to answer", 20*time.Second, func() bool { return s.do("GET", "/task", "").status != http.StatusBadGateway })
	for _, method := range []string{"GET", "POST"} {
		r := s.do(method, "/task", "")
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || r.header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(r.body, "the task store is unavailable") {
			t.Errorf("%s /task: %d %v %s; want the application's own 503", method, r.status, r.header, r.body)
		}
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	proxy.redirect(u.Host)
	after := s.submit()
	s.until("the new task to complete", 20*time.Second, func() bool { return s.status(after) == "completed" })
	if got := s.status(before); got != "completed" {
		t.Errorf("the earlier task is %q", got)
	}
}

// TestDatabaseThatIsNotThere checks that a start says what it waits for, and then, once, what is wrong.
func TestDatabaseThatIsNotThere(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp4", "127.0.0.1:0") // the kernel accepts, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, c := range map[string]struct {
		address, waiting, message string
	}{
		"refuses": {"127.0.0.1:1", "wait for Postgres at 127.0.0.1:1, at most 10s …",
			"Postgres of PARAMS, postgres://u:xxxxx@127.0.0.1:1/d, cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused (tried for 10s)"},
		"says nothing": {silent.Addr().String(), `"msg":"waiting for Postgres at ` + silent.Addr().String() + `"`,
			"custom resource Migration failed: connect to Postgres, database d, user u: " + silent.Addr().String() + " (127.0.0.1): "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := launch(t, data, "--template", "../../infra/sam/template.yaml", "--parameter-overrides",
				`DatabaseUrl="postgres://u:geheim@`+c.address+`/d?connect_timeout=2"`)
			<-s.ended
			text := s.output()
			waiting, message := strings.Index(text, c.waiting), strings.Index(text, "localstack: "+c.message)
			if s.cmd.ProcessState.ExitCode() != 1 || waiting < 0 || message < waiting {
				t.Errorf("exit %d; want 1, %q and then %q: %s", s.cmd.ProcessState.ExitCode(), c.waiting, c.message, text)
			}
			if strings.Count(text, "connection refused") > 1 || strings.Contains(text, "sending status failed") || strings.Contains(text, "geheim") {
				t.Errorf("a reason stands twice, or a password is shown: %s", text)
			}
			noProcess(t, data)
		})
	}
}
