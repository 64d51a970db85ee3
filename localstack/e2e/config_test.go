package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestConfiguration runs a user's file, misspellings included, and checks that each kind of key takes effect.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(postgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := database.User.Password()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(`
server:   {read_timeout: 5s, write_timeout: 10s, read_header_timeout: 1s, idle_timeout: 30s}
logger:   {handler: text, level: debug, output_internal: false}
app:      {semaphore: 3}
job:      {min_duration: 100ms, max_duration: 200ms, failure_rate: 1}
clickhouse: {address: "127.0.0.1:1", username: ksu, password: geheim, try_connection_perod: 10ms,
             connection_attempts: 5, batch_size: 10, batch_inteval: 1m}
storage:  {type: postgres, host: %s, port: %s, user: %s, password: %q, name: %s, ssl_mode: disable,
           need_migrate: true, migaret_src: "file:///migrate"}
`, database.Hostname(), database.Port(), database.User.Username(), password, strings.TrimPrefix(database.Path, "/"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, t.TempDir(), "JobFailureRate=0 LogLevel=info", "--config", path)
	id := s.submit()
	s.until("the task to complete", 20*time.Second, func() bool { return s.status(id) == "completed" })

	for _, want := range []string{
		"at most 3 at once",                // a key that fills a template parameter
		"Postgres of " + path + ":8",       // the configured database
		`msg="task completed"`,             // a key that becomes an environment variable
		`level=WARN source=`,               // and of the migration too
		"no folder /migrate",               // and one that only the migration reads
		"log lines not sent to ClickHouse", // another one
	} {
		s.until("output of "+want, 20*time.Second, func() bool { return strings.Contains(s.output(), want) })
	}
	output := s.output()
	for _, once := range []string{"try_connection_perod is a misspelling of clickhouse.try_connection_period",
		"batch_inteval is a misspelling of clickhouse.batch_interval", "migaret_src is a misspelling of storage.migrate_src"} {
		if n := strings.Count(output, once); n != 1 {
			t.Errorf("%q stands %d times in the output", once, n)
		}
	}
	for _, never := range []string{"start Postgres", "geheim", password, "level=DEBUG"} {
		if strings.Contains(output, never) {
			t.Errorf("the output has %q", never)
		}
	}
	headersInTime(t, strings.TrimPrefix(s.api, "http://"))
}

// headersInTime checks that the server cuts off a client that does not finish its headers.
func headersInTime(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /task HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(4 * time.Second)); err != nil { // less than any other time-out
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("server.read_header_timeout has no effect: %v", err)
	}
}

func TestBadConfigurationIsReportedAtOnce(t *testing.T) { // not parallel: it sets variables
	dir := t.TempDir()
	t.Setenv("JOB_FAILURE_RATE", "2")
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"all errors": {"server: {prt: 1, write_timeout: soon}\nstorage:\n  port: x\n  password: !geheim\n", []string{
			"1: server.prt is unknown; did you mean server.port?",
			`1: server.write_timeout is "soon"`,
			`3: storage.port is "x"; allowed are whole numbers from 1 to 65535`,
			"4: storage.password begins with ! or &",
			`environment variable JOB_FAILURE_RATE: job.failure_rate is "2"; allowed are numbers from 0 to 1`,
		}},
		"no file": {"", []string{"read the configuration file: open "}},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yaml")
		if c.file != "" {
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := launch(t, filepath.Join(dir, "data"), "--template", "../../infra/sam/template.yaml", "--config", path)
		<-s.ended
		output := s.output()
		for _, want := range c.want {
			if !strings.Contains(output, want) {
				t.Errorf("%s: the output has no %q: %s", name, want, output)
			}
		}
		if s.cmd.ProcessState.ExitCode() != 1 || strings.Contains(output, "start Postgres") || strings.Contains(output, "geheim") {
			t.Errorf("%s: exit %d, %s", name, s.cmd.ProcessState.ExitCode(), output)
		}
	}
}

func TestKeysThatNothingLocalCanServe(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"task: {queue_url: 'http://q'}": ":1: task.queue_url has no effect: the template sets TASK_QUEUE_URL",
		"storage: {host: h, secret_arn: 'arn:aws:secretsmanager:us-east-1:1:secret:x'}": ":1: storage.secret_arn is \"arn:aws:secretsmanager:us-east-1:1:secret:x\"; the local stack has no Secrets Manager",
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		s := launch(t, t.TempDir(), "--template", "../../infra/sam/template.yaml", "--config", path)
		<-s.ended
		if output := s.output(); s.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(output, path+want) || strings.Contains(output, "start Postgres") {
			t.Errorf("%s: exit %d, %s", file, s.cmd.ProcessState.ExitCode(), output)
		}
	}
}
