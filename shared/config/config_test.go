package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files")

// read loads a file's content and variables given as NAME=value.
func read(t *testing.T, file string, variables ...string) (*Config, error) {
	t.Helper()
	env := map[string]string{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	if file != "" {
		t.Chdir(t.TempDir()) // so that errors show the bare name
		if err := os.WriteFile("config.yaml", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		env[FileVariable] = "config.yaml"
	}
	return Read(func(name string) string { return env[name] })
}

// users is a file in the form that existing users have.
const users = `
server:   {read_timeout: 5s, write_timeout: 10s, read_header_timeout: 2s, idle_timeout: 30s}
logger:   {handler: json, level: debug, output_internal: false}
app:      {semaphore: 16}
clickhouse: {address: "clickhouse:9000", username: ksu, password: secret, try_connection_perod: 4s,
             connection_attempts: 5, batch_size: 10, batch_inteval: 1m}
storage:  {type: postgres, host: db, port: 5432, user: app, password: 123, name: app_db, ssl_mode: disable,
           need_migrate: true, migaret_src: "file:///migrate"}
`

func TestTheFileThatUsersHave(t *testing.T) {
	c, err := read(t, users)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Storage.URL(), "postgres://app:123@db:5432/app_db?sslmode=disable"; got != want {
		t.Errorf("database %s, want %s", got, want)
	}
	if c.ClickHouse.TryConnectionPeriod != 4*time.Second || c.ClickHouse.BatchInterval != time.Minute ||
		c.Storage.MigrateSource != "file:///migrate" || c.Storage.Password != "123" || c.Server.WriteTimeout != 10*time.Second ||
		c.Logger.Level != "debug" || c.Server.Port != 8080 {
		t.Errorf("%+v", c)
	}
	want := []string{
		"config.yaml:5: clickhouse.try_connection_perod is a misspelling of clickhouse.try_connection_period",
		"config.yaml:6: clickhouse.batch_inteval is a misspelling of clickhouse.batch_interval",
		"config.yaml:8: storage.migaret_src is a misspelling of storage.migrate_src",
	}
	if !reflect.DeepEqual(c.Warnings, want) {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestPrecedence(t *testing.T) {
	c, err := read(t, "server: {port: 1000}\nlogger: {level: debug}\nstorage: {port: 1}\n",
		"SERVER_PORT=2000", "LOG_LEVEL=warn", "LOGGER_LEVEL=error", "STORAGE_PORT=", "DATABASE_URL=", "CLICKHOUSE_BATCH_SIZE=7", "MAX_ATTEMPTS=9")
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Port != 2000 || c.Logger.Level != "error" || c.Storage.Port != 1 || c.ClickHouse.BatchSize != 7 || c.Task.MaxAttempts != 9 {
		t.Errorf("%+v", c)
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	_, err := read(t, `
server: {port: 99999}
loger: {level: info}
storage:
  hots: db
  pasword: geheim
  need_migrate: perhaps
  port: [1]
  ssl_mode: full
  password: !geheim
job: 5
app: {semaphore: 1}
app: {semaphore: 2}
zzz: 1
clickhouse: {batch_size: 1, batch_size: 2, batch_interval: 1m, batch_inteval: 2m, address: geheim}
`, "JOB_FAILURE_RATE=2", "STORAGE_AUTH=kerberos", "DATABASE_SECRET_ARN=x", "TASK_QUEUE_URL=queue",
		"DATABASE_URL=mysql://u:geheim@host", "CLICKHOUSE_FLUSH_TIMEOUT=2h")
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(strings.ReplaceAll(err.Error(), `address is "geheim"`, ""), "geheim") {
		t.Error("an error shows a password")
	}
	golden(t, "errors.txt", err.Error()+"\n")
}

func TestAnchorInPassword(t *testing.T) {
	_, err := read(t, "storage: {password: *geheim}\n")
	if want := "config.yaml: a value that begins with * must be in quotes"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestFileThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := Read(func(name string) string {
		return map[string]string{FileVariable: filepath.Join(t.TempDir(), "none.yaml")}[name]
	})
	if err == nil || !strings.Contains(err.Error(), "read the configuration file: open ") {
		t.Errorf("error %v", err)
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, file := range []string{" ", "# nothing\n", "storage:\n", "storage: {password: }\n"} {
		if _, err := read(t, file); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := read(t, "a: [b"); err == nil || !strings.HasPrefix(err.Error(), "config.yaml: yaml: ") {
		t.Errorf("malformed: %v", err)
	}
}

// TestSecretsAreNotShown prints a configuration in every accidental way.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	c, err := Read(func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://u:geheim@h/d", "STORAGE_PASSWORD": "geheim", "CLICKHOUSE_PASSWORD": "geheim"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s\n", c, *c, *c, c.Storage.Password)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("m", "config", c, "password", c.Storage.Password)
	}
	if strings.Contains(out.String(), "geheim") || !strings.Contains(out.String(), redacted) {
		t.Errorf("shown: %s", out.String())
	}
	if c.Storage.URL() != "postgres://u:geheim@h/d" {
		t.Errorf("the URL lost its password: %s", c.Storage.URL())
	}
}

func TestURLEscapes(t *testing.T) {
	t.Parallel()
	s := Storage{Host: "::1", Port: 1, User: "a@b", Password: "p/w:?", Name: "n", SSLMode: "require"}
	if got, want := s.URL(), "postgres://a%40b:p%2Fw%3A%3F@[::1]:1/n?sslmode=require"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := (Storage{Port: 5432}).URL(); got != "" {
		t.Errorf("without a host: %s", got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(home, "testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s, which -update writes, differs; got\n%s", name, got)
	}
}

// home is the package's folder; tests change the working directory.
var home, _ = os.Getwd()

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(func(string) string { return "" }); err != nil {
			b.Fatal(err)
		}
	}
}
