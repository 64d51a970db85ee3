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

	"ksu/migrate/schema"
	"ksu/shared/store/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestCommands(t *testing.T) {
	t.Parallel()
	url, latest := postgrestest.Empty(t), schema.Latest()
	for _, step := range []struct {
		command string
		version uint
	}{
		{"version", 0}, {"up", latest}, {"up", latest}, {"version", latest}, {"down", latest - 1}, {"up", latest},
		{fmt.Sprintf("down %d", latest), 0}, {"down", 0}, {"up", latest},
	} {
		var out strings.Builder
		err := run(t.Context(), strings.Fields(step.command), url, &out)
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
	} {
		err := run(t.Context(), strings.Fields(command), "", io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q = %v; want %q in the error", command, err, want)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"help"}, "", &out); err != nil || out.String() != usage+"\n" {
		t.Errorf("help prints %q, %v; want the usage", out.String(), err)
	}
}

func TestNewFindsTheFolder(t *testing.T) { // not parallel: it changes the working directory
	root := t.TempDir()
	inside := filepath.Join(root, "some", "where")
	folder := filepath.Join(root, "migrate", "postgres")
	for _, dir := range []string{inside, folder} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "000001_tasks.up.sql"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(inside)
	var out strings.Builder
	if err := run(t.Context(), []string{"new", "add_priority"}, "", &out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if _, err := os.Stat(strings.TrimSpace(line)); err != nil || !strings.Contains(line, "000002_add_priority.") {
			t.Errorf("new prints %q: %v", line, err)
		}
	}
	t.Chdir(t.TempDir())
	if err := run(t.Context(), []string{"new", "x"}, "", io.Discard); err == nil || !strings.Contains(err.Error(), "inside the checkout") {
		t.Errorf("new outside the checkout = %v; want an error that says so", err)
	}
}

// TestCustomResource answers CloudFormation's requests through the wrapper that the function uses.
func TestCustomResource(t *testing.T) {
	t.Parallel()
	url := postgrestest.Empty(t)
	for _, test := range []struct {
		name, request, url, status, reason string
		version                            uint
	}{
		{"create", "Create", url, "SUCCESS", "", schema.Latest()},
		{"create again", "Create", url, "SUCCESS", "", schema.Latest()},
		{"update", "Update", url, "SUCCESS", "", schema.Latest()},
		{"delete", "Delete", url, "SUCCESS", "", 0},
		{"delete without a database", "Delete", "", "SUCCESS", "", 0},
		{"no database", "Create", "", "FAILED", "DATABASE_URL is not set", 0},
		{"unknown", "Replace", url, "FAILED", `request type "Replace" is unknown`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(t, resource{url: test.url}, test.request)
			if answer.Status != test.status || !strings.Contains(answer.Reason, test.reason) ||
				answer.PhysicalResourceID != physicalID || answer.Data.Version != test.version {
				t.Errorf("answer is %+v; want %s, %q, %s, version %d", answer, test.status, test.reason, physicalID, test.version)
			}
		})
	}
	if version, err := schema.Version(t.Context(), url); err != nil || version != schema.Latest() {
		t.Errorf("after Delete the schema's version is %d, %v; want %d", version, err, schema.Latest())
	}
}

type answer struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	Data               struct{ Version uint }
}

func ask(t *testing.T, r resource, request string) answer {
	t.Helper()
	text, err := os.ReadFile("testdata/create.json")
	if err != nil {
		t.Fatal(err)
	}
	var event cfn.Event
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	var got answer
	bucket := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPut {
			t.Errorf("answer: %s, %v; want a PUT of JSON", r.Method, err)
		}
	}))
	defer bucket.Close()
	defer http.DefaultClient.CloseIdleConnections() // the wrapper's client
	event.RequestType, event.ResponseURL = cfn.RequestType(request), bucket.URL
	if _, err := cfn.LambdaWrap(r.handle)(t.Context(), event); err != nil {
		t.Log("the function returns", err) // CloudFormation reads the answer alone
	}
	return got
}
