package stack

import (
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/template"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const configurable = `
Transform: AWS::Serverless-2016-10-31
Metadata:
  LocalStack:
    Configuration:
      Reader: reader
      Parameters: {app.limit: Limit, storage.database_url: DatabaseUrl}
Parameters:
  Limit: {Type: Number, Default: 1}
  DatabaseUrl: {Type: String, Default: ""}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: code, Runtime: provided.al2023, Handler: bootstrap, Environment: {Variables: {QUEUE_URL: x, LIMIT: !Ref Limit}}}
`

// setup returns a stack with a template and settings, of which nothing runs.
func setup(t *testing.T, o Options, found ...setting) *stack {
	t.Helper()
	return setupTemplate(t, configurable, o, found...)
}

func setupTemplate(t *testing.T, text string, o Options, found ...setting) *stack {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "code"), 0o700); err != nil {
		t.Fatal(err)
	}
	parsed, err := template.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	s := newStack(o, io.Discard)
	s.template, s.settings = parsed, settings{Settings: found}
	s.findPostgres = func() (string, error) { return "/usr/bin", nil }
	return s
}

func TestPort(t *testing.T) {
	t.Parallel()
	given := 7
	configured := setting{Key: "server.port", Value: "9"}
	for name, test := range map[string]struct {
		stack *stack
		want  int
	}{
		"flag":          {setup(t, Options{Port: &given}, configured), 7},
		"configuration": {setup(t, Options{}, configured), 9},
		"neither":       {setup(t, Options{}), 8080},
	} {
		if got := test.stack.port(); got != test.want {
			t.Errorf("%s: port %d, want %d", name, got, test.want)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	limit := setting{Key: "app.limit", Value: "3", Source: "config.yaml:1"}
	url := setting{Key: "storage.database_url", Value: "postgres://configured", Source: "config.yaml:2"}
	unsaid := setting{Key: "app.limit", Value: "3"}
	for name, test := range map[string]struct {
		stack *stack
		want  map[string]string
	}{
		"configured":             {setup(t, Options{}, limit, url), map[string]string{"Limit": "3", "DatabaseUrl": "postgres://configured"}},
		"defaults of the reader": {setup(t, Options{}, unsaid), map[string]string{"DatabaseUrl": "postgres://127.0.0.1"}},
		"overrides win":          {setup(t, Options{Parameters: map[string]string{"Limit": "5"}}, limit), map[string]string{"Limit": "5", "DatabaseUrl": "postgres://127.0.0.1"}},
	} {
		if err := test.stack.chooseStorage(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := test.stack.templateOptions("").Parameters; !maps.Equal(got, test.want) {
			t.Errorf("%s: parameters %v, want %v", name, got, test.want)
		}
	}
}

func TestGivenParameters(t *testing.T) {
	t.Parallel()
	s := setup(t, Options{Parameters: map[string]string{"DatabaseUrl": "postgres://o", "Limit": "", "Other": "x"}})
	given, others := s.givenParameters()
	want := []setting{
		{Key: "app.limit", Source: "parameter Limit"}, {Key: "storage.database_url", Value: "postgres://o", Source: "parameter DatabaseUrl"},
	}
	if !reflect.DeepEqual(given, want) || !maps.Equal(others, map[string]string{"Other": "x"}) || len(s.options.Parameters) != 3 {
		t.Errorf("given %+v, others %v; want %+v and Other", given, others, want)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	s := setup(t, Options{},
		setting{Key: "app.limit", Value: "3", Variables: []string{"APP_LIMIT", "LIMIT"}, Source: "config.yaml:1"},
		setting{Key: "server.port", Value: "9", Variables: []string{"SERVER_PORT"}, Source: "config.yaml:2"},
		setting{Key: "log.form", Value: "text", Variables: []string{"LOG_FORM", "FORM"}, Source: "config.yaml:3"},
		setting{Key: "log.level", Value: "info", Variables: []string{"LOG_LEVEL"}},
	)
	resolved, err := s.template.Resolve(template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.variables(resolved); err != nil || !maps.Equal(got, map[string]string{"LOG_FORM": "text"}) {
		t.Errorf("variables %v, %v; want those given keys that are neither parameters nor the local stack's own", got, err)
	}
	s.settings.Settings = append(s.settings.Settings,
		setting{Key: "task.queue", Value: "y", Variables: []string{"TASK_QUEUE", "QUEUE_URL"}, Source: "config.yaml:4"})
	if _, err := s.variables(resolved); err == nil || err.Error() != "config.yaml:4: task.queue has no effect: the template sets QUEUE_URL of local-F" {
		t.Errorf("a key that the template overrules: %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	got := setup(t, Options{}, setting{Key: "server.read_timeout", Value: "1s"}, setting{Key: "server.read_header_timeout", Value: "2s"},
		setting{Key: "server.write_timeout", Value: "3s"}, setting{Key: "server.idle_timeout", Value: "4s"}).timeouts()
	want := listen.Timeouts{Read: time.Second, ReadHeader: 2 * time.Second, Write: 3 * time.Second, Idle: 4 * time.Second}
	if got != want {
		t.Errorf("the REST API has %+v; want %+v", got, want)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	for arguments, want := range map[string]string{
		"--port x":               `invalid value "x" for flag -port: allowed are 0 to 65535 (make run PORT=…)`,
		"--port 65536":           `"65536" for flag -port: allowed are 0 to 65535 (make run PORT=…)`,
		"--aws-port -1":          `"-1" for flag -aws-port: allowed are 0 to 65535 (make run AWS_PORT=…)`,
		"--allow-host http://a/": `"http://a/" is not a host name`,
		"--prot 1":               "-prot", "--pprof=x": "-pprof",
		"--storage paper": "--storage", "extra": "not known", "--parameter-overrides A": "not of the form Name=value",
	} {
		_, err := ParseFlags(strings.Fields(arguments), &help)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one line with %s", arguments, err, want)
		}
	}
	if help.Len() > 0 {
		t.Errorf("flags were listed that nobody asked for: %s", &help)
	}
	if _, err := ParseFlags([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-aws-port") {
		t.Errorf("--help: %v, %s", err, &help)
	}
	o, err := ParseFlags(strings.Fields("--port 0 --config c.yaml --pprof --allow-host a.example --allow-host b.example"), &help)
	if err != nil || !slices.Equal(o.AllowHosts, []string{"a.example", "b.example"}) || o.Port == nil || *o.Port != 0 || o.Config != "c.yaml" || !o.Profile {
		t.Errorf("options %+v, %v", o, err)
	}
}
