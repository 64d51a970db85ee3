package e2e_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// logs opens the ClickHouse of a running stack.
func (s *running) logs(data string) *sql.DB {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "clickhouse.url"))
	if err != nil {
		s.t.Fatal(err)
	}
	options, err := ch.ParseDSN(strings.TrimSpace(string(text)))
	if err != nil {
		s.t.Fatal(err)
	}
	db := ch.OpenDB(options)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// frozen reports whether a function has processes, all of them stopped.
func (s *running) frozen(data string) bool {
	s.t.Helper()
	found := 0
	for _, p := range processTable(s.t) {
		if !strings.HasPrefix(p.command, filepath.Join(data, "functions")) {
			continue
		}
		found++
		if !strings.HasPrefix(p.state, "T") {
			return false
		}
	}
	return found > 0
}

// TestLogsTellATasksStory follows a task through all functions. When the invocations have ended and their processes are
// frozen, every line is in ClickHouse with its columns. Submission and run share a trace, and `make logs task=ID`
// prints the story.
func TestLogsTellATasksStory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	config := filepath.Join(data, "config.yaml")
	if err := os.WriteFile(config, []byte("clickhouse: {flush_timeout: 20s}\n"), 0o600); err != nil { // a busy machine is slow
		t.Fatal(err)
	}
	s := start(t, data, "JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0", "--clickhouse", "auto", "--config", config)
	if text := s.output(); !regexp.MustCompile(`(?m)^  clickhouse +ClickHouse \d`).MatchString(text) {
		t.Error("the banner does not say where the logs go")
	}
	id := s.submit()
	s.until("the task to complete", 30*time.Second, func() bool { return s.status(id) == "completed" })
	if r := s.do("DELETE", "/task/"+id, ""); r.status != 204 {
		t.Fatalf("delete: %d %s", r.status, r.body)
	}
	db := s.logs(data)
	count := func(where string, args ...any) (n int64) {
		if err := db.QueryRow("SELECT toInt64(count()) FROM logs WHERE "+where, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Frozen processes send nothing, so a missing line came too late.
	s.until("the functions to be frozen", 30*time.Second, func() bool { return s.frozen(data) })
	for _, c := range []struct {
		what, where string
		want        int64
	}{
		{"submission", "function = 'ksu-ApiFunction' AND message = 'task submitted' AND attempt = 0", 1},
		{"run", "function = 'ksu-WorkerFunction' AND message IN ('task started', 'task completed') AND attempt = 1", 2},
		{"deletion", "function = 'ksu-ApiFunction' AND message = 'task deleted'", 1},
		{"no other", "message != ''", 4},
		{"columns", "level = 'INFO' AND version != '' AND request_id != '' AND trace_id LIKE '1-%' AND source LIKE '%.go:%'", 4},
	} {
		if got := count("task_id = ? AND "+c.where, id); got != c.want {
			t.Errorf("%s: %d lines, want %d", c.what, got, c.want)
		}
	}
	var traces int64
	if err := db.QueryRow("SELECT toInt64(uniqExact(trace_id)) FROM logs WHERE task_id = ? AND message != 'task deleted'", id).Scan(&traces); err != nil || traces != 1 {
		t.Errorf("submission and run have %d traces, %v", traces, err)
	}

	out, err := exec.Command("go", "run", "../../shared/logging/logs", "-data", data, "-task", id).CombinedOutput()
	story := regexp.MustCompile(`(?s)"function":"ksu-ApiFunction","msg":"task submitted".*\n.*"function":"ksu-WorkerFunction","msg":"task started".*"attempt":1.*\n` +
		`.*"function":"ksu-WorkerFunction","msg":"task completed".*"result_bytes".*\n.*"function":"ksu-ApiFunction","msg":"task deleted"`)
	if err != nil || !story.Match(out) {
		t.Errorf("the story is, %v:\n%s", err, out)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, "clickhouse.url")); !os.IsNotExist(err) {
		t.Errorf("after the stop the address is left: %v", err)
	}
}

// TestClickHouseAway starts with an unreachable ClickHouse: the service works, and the terminal says what is missing.
func TestClickHouseAway(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "JobMinDuration=100ms JobMaxDuration=200ms JobFailureRate=0", "--clickhouse", "127.0.0.1:1")
	const failed = "custom resource LogMigration failed: connect to ClickHouse at 127.0.0.1:1: "
	told := regexp.MustCompile(`(?s)"msg":"waiting for ClickHouse at 127\.0\.0\.1:1",[^\n]*"at_most":"10s",.*\nwarning +│ ` + failed +
		`.*\n  clickhouse +ClickHouse of --provide, 127\.0\.0\.1:1\n  warning +` + failed + `[^\n]*; the next start tries it again\n`)
	if !told.MatchString(s.output()) {
		t.Error("the output does not say what is waited for, or the banner that ClickHouse is away")
	}
	id := s.submit()
	s.until("the task to complete", 30*time.Second, func() bool { return s.status(id) == "completed" })
	s.until("the run's lines on stdout", 30*time.Second, func() bool { return strings.Contains(s.output(), `"msg":"task completed"`) })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	for _, function := range []string{"ApiFunction", "WorkerFunction"} {
		told := regexp.MustCompile(`(?m)^` + function + ` .*"msg":"log lines lost at the end of the process"`)
		if !told.MatchString(s.output()) {
			t.Errorf("%s does not say that its lines are lost to ClickHouse", function)
		}
	}
}

func TestClickHouseOptionIsChecked(t *testing.T) {
	t.Parallel()
	s := launch(t, t.TempDir(), "--clickhouse", "here", "--template", "../../infra/sam/template.yaml")
	<-s.ended
	const want = `CLICKHOUSE is "here"; allowed are auto, off, and the host:port`
	if text := s.output(); s.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(text, want) {
		t.Errorf("exit %d, %s", s.cmd.ProcessState.ExitCode(), text)
	}
}
