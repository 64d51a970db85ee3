package stack

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/template"
)

func status(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return answer.StatusCode
}

// setupAPI opens the ports and serves an API.
func setupAPI(t *testing.T, api *spec.API) ports {
	t.Helper()
	p, life := setupPorts(t), newLife()
	for _, url := range []string{p.aws.URL(), p.api.URL()} {
		if got := status(t, url); got != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d during the start; want 503", url, got)
		}
	}
	functions, err := lambda.New(lambda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := life.stop(); err != nil {
			t.Error(err)
		}
		if err := functions.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := serveAPI(t.Context(), &plan{stack: &spec.Stack{API: api}}, p.api, functions, console.New(t.Output(), console.Options{}), life); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPorts checks that both ports answer 503 until the stack is ready.
func TestPorts(t *testing.T) {
	t.Parallel()
	p := setupAPI(t, &spec.API{})
	if got := status(t, p.api.URL()); got != http.StatusForbidden {
		t.Errorf("the ready REST API answers %d; want 403, the gateway's own error", got)
	}
}

// TestPortWithoutAPI checks that the port is free when the template has no API.
func TestPortWithoutAPI(t *testing.T) {
	t.Parallel()
	p := setupAPI(t, nil)
	if conn, err := net.Dial("tcp", p.api.Addr().String()); err == nil {
		_ = conn.Close()
		t.Errorf("%s is still taken", p.api.Addr())
	}
}

const checked = `
Transform: AWS::Serverless-2016-10-31
Metadata:
  Local:
    Provide:
      - Service: postgres
        Parameters: {Db: Url}
        Else: {Kind: file}
Parameters:
  Db: {Type: String, Default: ""}
  Kind: {Type: String, Default: server}
  Size: {Type: Number, Default: 3, MaxValue: 5}
Resources:
  F: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: go1.x}, Properties: {Runtime: provided.al2023, Handler: bootstrap, Environment: {Variables: {SIZE: !Ref Size, KIND: !Ref Kind}}}}
  Q: {Type: AWS::SQS::Queue}
`

// TestCheck checks that --check reports every error of a start, and starts nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	path := write(t, "template.yaml", checked)
	data := filepath.Join(t.TempDir(), "data")
	o := Options{Template: path, Data: data, Check: true, Provide: map[string]string{"postgres": "off"}}
	var out strings.Builder
	if err := Run(t.Context(), o, &out); err != nil || out.Len() > 0 {
		t.Errorf("a good template: %v, %s", err, &out)
	}
	o.StackName, o.Provide["redis"] = "1", "on"
	o.Parameters = map[string]spec.Value{"Size": {Text: "6", Source: "settings.yaml:8"}, "Sise": {Text: "1"}}
	err := Run(t.Context(), o, &out)
	for _, want := range []string{`--stack-name is "1"`, "--provide redis=on: the template requests postgres", `Parameter Size: "6" of settings.yaml:8 breaks MaxValue 5`, "Parameter Sise: is not declared; did you mean Size?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data folder was made: %v", err)
	}
}

// setupPlan returns the plan of a template.
func setupPlan(t *testing.T, o Options) *plan {
	t.Helper()
	parsed, err := template.Parse(o.Template)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(parsed, o, "http://aws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.services.Release)
	return p
}

// TestPlan checks that the plan has the values of the template's parameters, the services and the user's files.
func TestPlan(t *testing.T) {
	t.Parallel()
	path := write(t, "template.yaml", checked)
	p := setupPlan(t, Options{
		Template: path, StackName: "demo", Data: "data", Provide: map[string]string{"postgres": "off"},
		Parameters: map[string]spec.Value{"Size": {Text: "4"}}, Variables: map[string]map[string]string{"F": {"OWN": "x"}},
	})
	f := p.stack.Functions[0]
	if f.Name != "demo-F" || f.Environment["SIZE"] != "4" || f.Environment["KIND"] != "file" || f.Environment["OWN"] != "x" || f.Source != filepath.Dir(path) {
		t.Errorf("the function is %+v", f)
	}
	if p.stack.Queues[0].URL != "http://aws/000000000000/demo-Q" || !filepath.IsAbs(p.data) {
		t.Errorf("the queue is %+v, the data folder %s", p.stack.Queues[0], p.data)
	}
	for name, want := range map[string]string{"Size": "4", "Kind": "file", "Db": "", "Other": ""} {
		if got := p.parameter(name); got != want {
			t.Errorf("parameter %s is %q, want %q", name, got, want)
		}
	}
}
