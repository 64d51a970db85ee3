package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/eragon-mdi/ksu/migrate/schema"
	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// onPostgres is the database at a URL.
func onPostgres(t *testing.T, url string) *schema.Target {
	t.Helper()
	tasks, err := schema.Tasks(config.Storage{Type: "postgres", DatabaseURL: config.Secret(url)})
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// latest is the version of the newest migration of tasks.
func latest(t *testing.T) uint { return onPostgres(t, "").Latest() }

func TestCommands(t *testing.T) {
	t.Parallel()
	for name, storage := range map[string]config.Storage{
		"postgres": {Type: "postgres", DatabaseURL: config.Secret(testserver.EmptyPostgres(t))},
		"internal": {Type: "internal", Path: filepath.Join(t.TempDir(), "data", "ksu.db")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks, err := schema.Tasks(storage)
			if err != nil {
				t.Fatal(err)
			}
			checkCommands(t, targets{tasks: tasks})
		})
	}
}

func checkCommands(t *testing.T, found targets) {
	latest := latest(t)
	for _, step := range []struct {
		command string
		version uint
	}{
		{"version", 0}, {"up", latest}, {"up", latest}, {"version", latest}, {"down", latest - 1}, {"up", latest},
		{fmt.Sprintf("down %d", latest), 0}, {"down", 0}, {"up", latest},
	} {
		var out strings.Builder
		err := run(t.Context(), strings.Fields(step.command), found, &out)
		want := fmt.Sprintf("schema version %d (this build has %d)\n", step.version, latest)
		if err != nil || out.String() != want {
			t.Fatalf("%s prints %q, %v; want %q", step.command, out.String(), err, want)
		}
	}
}

func TestCommandErrors(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"":          "no command",
		"sideways":  `unknown command "sideways"`,
		"up 3":      `up: unexpected argument "3"`,
		"version x": `version: unexpected argument "x"`,
		"down 0":    `N is "0"`,
		"down x":    `N is "x"`,
		"down 1 2":  `unexpected argument "2"`,
		"new":       "new needs one NAME",
		"new a b":   "new needs one NAME",
		"new A":     `migration name "A"`,
		"up":        "DATABASE_URL is not set",
		"down":      "DATABASE_URL is not set",
		"version":   "DATABASE_URL is not set",
		"logs":      "logs needs a command",
		"logs new":  `unknown command "logs new"`,
		"logs up":   "CLICKHOUSE_ADDRESS is not set",
	} {
		err := run(t.Context(), strings.Fields(command), targets{tasks: onPostgres(t, "")}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q = %v; want %q in the error", command, err, want)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"help"}, targets{}, &out); err != nil || out.String() != usage+"\n" {
		t.Errorf("help prints %q, %v; want the usage", out.String(), err)
	}
}

func TestNewFindsTheFolders(t *testing.T) { // not parallel: it changes the working directory
	root := t.TempDir()
	inside := filepath.Join(root, "some", "where")
	if err := os.MkdirAll(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		folder := filepath.Join(root, "migrate", kind)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "000001_tasks.up.sql"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(inside)
	var out strings.Builder
	if err := run(t.Context(), []string{"new", "add_priority"}, targets{}, &out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if _, err := os.Stat(strings.TrimSpace(line)); err != nil || !strings.Contains(line, "000002_add_priority.") {
			t.Errorf("new prints %q: %v", line, err)
		}
	}
	t.Chdir(t.TempDir())
	if err := run(t.Context(), []string{"new", "x"}, targets{}, io.Discard); err == nil || !strings.Contains(err.Error(), "inside the checkout") {
		t.Errorf("new outside the checkout = %v; want an error that says so", err)
	}
}

// TestCustomResource answers CloudFormation's requests through the wrapper that the function uses.
func TestCustomResource(t *testing.T) {
	t.Parallel()
	url := testserver.EmptyPostgres(t)
	for _, test := range []struct {
		name, request, url, status, reason string
		version                            uint
	}{
		{"create", "Create", url, "SUCCESS", "", latest(t)},
		{"create again", "Create", url, "SUCCESS", "", latest(t)},
		{"update", "Update", url, "SUCCESS", "", latest(t)},
		{"delete", "Delete", url, "SUCCESS", "", 0},
		{"delete without a database", "Delete", "", "SUCCESS", "", 0},
		{"no database", "Create", "", "FAILED", "DATABASE_URL is not set", 0},
		{"unknown", "Replace", url, "FAILED", `request type "Replace" is unknown`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(t, resource{targets{tasks: onPostgres(t, test.url)}}.handle, "Custom::Migration", test.request)
			if answer.Status != test.status || !strings.Contains(answer.Reason, test.reason) ||
				answer.PhysicalResourceID != tasksID || answer.Data.Version != test.version {
				t.Errorf("answer is %+v; want %s, %q, %s, version %d", answer, test.status, test.reason, tasksID, test.version)
			}
		})
	}
	if version, err := onPostgres(t, url).Version(t.Context()); err != nil || version != latest(t) {
		t.Errorf("after Delete the schema's version is %d, %v; want %d", version, err, latest(t))
	}
}

// TestLogs migrates ClickHouse by the CLI, alone and together with Postgres, and by the custom resource.
func TestLogs(t *testing.T) {
	t.Parallel()
	server := testserver.NewClickHouse(t)
	logs := func() *schema.Target {
		return schema.Logs(config.ClickHouse{Address: server.Address, Username: "default", Database: server.Empty(t), RetentionDays: 30})
	}
	both := targets{tasks: onPostgres(t, testserver.EmptyPostgres(t)), logs: logs()}
	want := fmt.Sprintf("schema version %[1]d (this build has %[1]d)\nlog schema version %[2]d (this build has %[2]d)\n", both.tasks.Latest(), both.logs.Latest())
	var out strings.Builder
	if err := run(t.Context(), []string{"up"}, both, &out); err != nil || out.String() != want {
		t.Errorf("up prints %q, %v; want %q", out.String(), err, want)
	}
	for _, step := range []struct {
		command string
		version uint
	}{{"version", both.logs.Latest()}, {"down", both.logs.Latest() - 1}, {"up", both.logs.Latest()}} {
		var out strings.Builder
		want := fmt.Sprintf("log schema version %d (this build has %d)\n", step.version, both.logs.Latest())
		if err := run(t.Context(), []string{"logs", step.command}, both, &out); err != nil || out.String() != want {
			t.Errorf("logs %s prints %q, %v; want %q", step.command, out.String(), err, want)
		}
	}
	alone := resource{targets{logs: logs()}}
	if got := ask(t, alone.handle, logsType, "Create"); got.Status != "SUCCESS" || got.PhysicalResourceID != logsID || got.Data.Version != alone.logs.Latest() {
		t.Errorf("answer is %+v", got)
	}
	if got := ask(t, resource{}.handle, logsType, "Create"); got.Status != "FAILED" || !strings.Contains(got.Reason, "CLICKHOUSE_ADDRESS is not set") {
		t.Errorf("answer without ClickHouse is %+v", got)
	}
	if got := ask(t, resource{}.handle, logsType, "Delete"); got.Status != "SUCCESS" || got.PhysicalResourceID != logsID {
		t.Errorf("answer to Delete is %+v", got)
	}
}

// response is an answer as CloudFormation reads it.
type response struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	Data               struct{ Version uint }
}

func ask(t *testing.T, handle cfn.CustomResourceFunction, kind, request string) response {
	t.Helper()
	text, err := os.ReadFile("testdata/create.json")
	if err != nil {
		t.Fatal(err)
	}
	var event cfn.Event
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	url, got := bucket(t)
	event.ResourceType, event.RequestType, event.ResponseURL = kind, cfn.RequestType(request), url
	if err := answer(handle)(t.Context(), event); err != nil {
		t.Errorf("the function returns %v", err)
	}
	return *got
}

// bucket stands in for CloudFormation's bucket: it takes one answer and refuses one that is too long.
func bucket(t *testing.T) (url string, got *response) {
	t.Helper()
	got = new(response)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPut || len(body) > 4096 || got.Status != "" {
			t.Errorf("answer: %s of %d bytes, %v, after %+v; want one PUT of at most 4096", r.Method, len(body), err, got)
		}
		if err := json.Unmarshal(body, got); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // the answer's client
		server.Close()
	})
	return server.URL, got
}
