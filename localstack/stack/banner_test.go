package stack

import (
	"errors"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/provide"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// setupPorts opens free ports.
func setupPorts(t *testing.T) ports {
	t.Helper()
	life := newLife()
	p, err := openPorts(Options{}, console.New(t.Output(), console.Options{}), life)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := life.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestBannerIsShort checks that the longest banner fits 12 lines, and ends with the URLs and an example.
func TestBannerIsShort(t *testing.T) {
	t.Parallel()
	limit := 3
	s := &spec.Stack{Name: "demo", API: &spec.API{Routes: []spec.Route{{Method: "POST", Path: "/a/{id}"}, {Method: "GET", Path: "/b"}}}}
	for _, name := range strings.Fields("a b c d e f g") {
		s.Functions = append(s.Functions, spec.Function{Name: "demo-" + name, ReservedConcurrency: &limit})
		s.Queues = append(s.Queues, spec.Queue{Name: "demo-" + name})
		s.Mappings = append(s.Mappings, spec.Mapping{Queue: "demo-" + name, Function: "demo-" + name})
		s.Schedules = append(s.Schedules, spec.Schedule{Expression: "rate(1 minute)", Function: "demo-" + name})
	}
	p := setupPorts(t)
	text := banner(&plan{stack: s, data: "/data", endpoint: "http://aws"}, &provide.Backing{Rows: []provide.Row{{Service: "postgres", Text: "x"}, {Service: "clickhouse", Text: "y"}}},
		[]error{errors.New("a"), errors.New("b")}, p)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 12 {
		t.Errorf("%d lines", len(lines))
	}
	for i, want := range []string{"REST API      " + p.api.URL() + "/b", "AWS endpoint  http://aws", "Try: curl -i -X GET " + p.api.URL() + "/b   Ctrl-C ends everything."} {
		if got := strings.TrimSpace(lines[len(lines)-3+i]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, want := range []string{"a (at most 3 at once), b (at most 3 at once)", "and 2 more", "a → a", "2 custom resources failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	p := setupPorts(t)
	api := p.api.URL()
	const aws = "aws --endpoint-url http://aws --region us-east-1 "
	routes := func(list ...string) *spec.API {
		api := &spec.API{}
		for _, route := range list {
			method, path, _ := strings.Cut(route, " ")
			api.Routes = append(api.Routes, spec.Route{Method: method, Path: path})
		}
		return api
	}
	for name, test := range map[string]struct {
		stack spec.Stack
		want  string
	}{
		"POST first":       {spec.Stack{API: routes("GET /a", "POST /b")}, "curl -i -X POST " + api + "/b"},
		"nothing to fill":  {spec.Stack{API: routes("POST /{a}", "GET /b")}, "curl -i -X GET " + api + "/b"},
		"all to be filled": {spec.Stack{API: routes("ANY /{proxy+}", "PUT /a/{id}/{x}")}, "curl -i -X GET " + api + "/proxy"},
		"shell's words":    {spec.Stack{API: routes("GET /$a")}, "curl -i -X GET '" + api + "/$a'"},
		"queue":            {spec.Stack{Queues: []spec.Queue{{URL: "http://aws/0/q"}}}, aws + "sqs send-message --queue-url http://aws/0/q --message-body hello"},
		"function":         {spec.Stack{Functions: []spec.Function{{Name: "demo-F"}}}, aws + "lambda invoke --function-name demo-F /dev/stdout"},
		"nothing":          {spec.Stack{}, aws + "sqs list-queues"},
	} {
		if got := (&plan{stack: &test.stack, endpoint: "http://aws"}).example(p); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
