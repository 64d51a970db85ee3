package provide

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/services/clickhouse"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a kind whose private server is only a name.
type fake struct {
	kind
	missing error // reserve returns it
	server  *server
}

func (f fake) reserve(string, string) (private, error) {
	if f.missing != nil {
		return nil, f.missing
	}
	return f.server, nil
}

func (f fake) wait(context.Context, string, Tools) error { return f.server.err }

// server is a private server of a test.
type server struct {
	err      error // of start
	done     chan struct{}
	released bool
	closed   bool
}

func newServer() *server { return &server{done: make(chan struct{})} }

func (s *server) values() map[string]string {
	return map[string]string{"Url": "postgres://private", "Address": "private:9000", "Username": "me", "Password": "geheim", "Secure": "false"}
}

func (s *server) start(context.Context, Tools) (running, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s, nil
}

func (s *server) release()              { s.released = true }
func (s *server) What() string          { return "private server" }
func (s *server) Done() <-chan struct{} { return s.done }
func (s *server) Err() error            { return nil }

func (s *server) Close(context.Context) error {
	s.closed = true
	close(s.done)
	return nil
}

// bench has the inputs of a decision.
type bench struct {
	database, logs *server
	requests       []spec.Provide
	kinds          map[string]kind
	options        Options
}

// setup returns a database that a file can replace, and an optional log server. Both are installed.
func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{database: newServer(), logs: newServer(), options: Options{Choices: map[string]string{}, Given: map[string]spec.Value{}, Data: t.TempDir()}}
	b.requests = []spec.Provide{
		{Service: "postgres", Parameters: map[string]string{"Db": "Url"}, Else: map[string]string{"Kind": "file", "File": "${Data}/x.db"}, Place: "template.yaml:5"},
		{Service: "clickhouse", Optional: true, Parameters: map[string]string{"Logs": "Address", "LogsPassword": "Password", "Tls": "Secure"}, Place: "template.yaml:9"},
	}
	b.kinds = map[string]kind{
		"postgres": fake{kind: postgreSQL{}, server: b.database}, "clickhouse": fake{kind: clickHouse{}, server: b.logs},
	}
	return b
}

func (b *bench) uninstall() {
	b.kinds["postgres"] = fake{kind: postgreSQL{}, missing: postgres.ErrNotInstalled}
	b.kinds["clickhouse"] = fake{kind: clickHouse{}, missing: clickhouse.ErrNotInstalled}
}

// given sets parameters "Name=value Name=value" and choices "name:choice".
func (b *bench) given(words string) {
	for word := range strings.FieldsSeq(words) {
		if name, choice, ok := strings.Cut(word, "->"); ok {
			b.options.Choices[name] = choice
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		b.options.Given[name] = spec.Value{Text: value, Source: "settings.yaml:8"}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given     string
		installed bool
		want      string // parameters, in the order of their names; DATA is the data folder
		rows      string // what and why of postgres and clickhouse
	}{
		"installed": {"", true, "Db=postgres://private",
			"(installed) off (--provide clickhouse=auto starts one)"},
		"nothing installed": {"", false, "File=DATA/x.db Kind=file",
			"off, DATA/x.db instead (it is not installed, and no address is given) off (--provide clickhouse=auto starts one)"},
		"auto": {"postgres->auto clickhouse->auto", true, "Db=postgres://private Logs=private:9000 LogsPassword=geheim Tls=false",
			"(installed) (installed)"},
		"on":  {"postgres->on", true, "Db=postgres://private", "(--provide postgres=on) off (--provide clickhouse=auto starts one)"},
		"off": {"postgres->off clickhouse->off", true, "File=DATA/x.db Kind=file", "off, DATA/x.db instead (--provide postgres=off) off (--provide clickhouse=off)"},
		"addresses by flag": {"postgres->postgres://u:p@h/d clickhouse->h:9000", true, "Db=postgres://u:p@h/d Logs=h:9000 Tls=false",
			"Postgres of --provide, postgres://u:xxxxx@h/d ClickHouse of --provide, h:9000"},
		"addresses by parameter": {"Db=postgres://u:p@h/d Logs=h:9000", true, "Db=postgres://u:p@h/d Logs=h:9000",
			"Postgres of settings.yaml:8, postgres://u:xxxxx@h/d ClickHouse of settings.yaml:8, h:9000"},
		"a parameter is enough for on":        {"Db=postgres://u@h/d postgres->on", false, "Db=postgres://u@h/d", "Postgres of settings.yaml:8, postgres://u@h/d off (--provide clickhouse=auto starts one)"},
		"given parameters take precedence":    {"postgres->off File=/y.db Kind=other", true, "File=/y.db Kind=other", "off, /y.db instead (--provide postgres=off) off (--provide clickhouse=auto starts one)"},
		"empty parameters do not":             {"Db= LogsPassword= clickhouse->auto", true, "Db=postgres://private Logs=private:9000 LogsPassword=geheim Tls=false", "(installed) (installed)"},
		"other parameters are left untouched": {"Database=postgres://stranger", true, "Database=postgres://stranger Db=postgres://private", "(installed) off (--provide clickhouse=auto starts one)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if !test.installed {
				b.uninstall()
			}
			b.given(test.given)
			p, err := decide(b.requests, b.options, b.kinds)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for word := range strings.FieldsSeq(strings.ReplaceAll(test.want, "DATA", b.options.Data)) {
				name, value, _ := strings.Cut(word, "=")
				want[name] = value
			}
			for name, value := range p.Parameters {
				if want[name] != value.Text {
					t.Errorf("%s is %q, want %q", name, value.Text, want[name])
				}
				delete(want, name)
			}
			if len(want) > 0 {
				t.Errorf("missing are %v", want)
			}
			var rows []string
			for _, s := range p.services {
				rows = append(rows, strings.TrimSpace(s.text(nil)))
			}
			if got, want := strings.Join(rows, " "), strings.ReplaceAll(test.rows, "DATA", b.options.Data); got != want {
				t.Errorf("the user is told %s\nwant %s", got, want)
			}
			if len(p.Warnings) > 0 {
				t.Errorf("warnings %q", p.Warnings)
			}
		})
	}
}

func TestDecideRefusesAllAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given string
		wants []string
	}{
		"unknown service": {"redis->on", []string{"--provide redis=on: the template requests postgres, clickhouse"}},
		"wrong addresses": {"postgres->yes:geheim clickhouse->here", []string{
			"Postgres of --provide, (not a URL of Postgres): it must be a URL such as postgres://user:password@host:5432/database; allowed are auto, on and off as well",
			"ClickHouse of --provide, here: it must be the host:port of a server's native protocol; allowed are auto, on and off as well"}},
		"wrong parameters": {"Db=postgres://u:geheim@h/d?sslmode=full Logs=x", []string{
			"Postgres of settings.yaml:8, postgres://u:xxxxx@h/d: ", "sslmode is invalid", "ClickHouse of settings.yaml:8, x: it must be the host:port"}},
		"not installed": {"postgres->on clickhouse->auto", []string{
			"template.yaml:5: no Postgres found on this machine", "  - do without: --provide postgres=off",
			"template.yaml:9: no ClickHouse found on this machine", "  - do without: --provide clickhouse=off"}},
	} {
		b := setup(t)
		b.uninstall()
		b.given(test.given)
		_, err := decide(b.requests, b.options, b.kinds)
		for _, want := range test.wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %s", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error shows a password: %v", name, err)
		}
	}
	b := setup(t)
	b.requests[0].Else = nil
	b.given("postgres->off redis->on")
	_, err := decide(b.requests[:1], b.options, b.kinds)
	if err == nil || !strings.Contains(err.Error(), "--provide postgres=off: the template requires it: template.yaml:5 has no Else") {
		t.Errorf("without Else: %v", err)
	}
	if _, err := decide(nil, b.options, b.kinds); err == nil || !strings.Contains(err.Error(), "--provide redis=on: the template requests no service") {
		t.Errorf("without requests: %v", err)
	}
}

// TestRelease checks that reservations are given back when another service is unavailable, and when the plan is
// dropped.
func TestRelease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.given("clickhouse->here")
	if _, err := decide(b.requests, b.options, b.kinds); err == nil || !b.database.released {
		t.Errorf("error %v, released %t", err, b.database.released)
	}
	b = setup(t)
	p, err := decide(b.requests, b.options, b.kinds)
	if err != nil {
		t.Fatal(err)
	}
	if p.Release(); !b.database.released {
		t.Error("the reserved server is not released")
	}
}

// TestUnseen checks the warning about data that the local stack's choice leaves unused: one line, with the way to use
// it. The user's own choices cause no warning.
func TestUnseen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given     string
		installed bool
		want      []string
	}{
		"chosen":                 {"postgres->on", true, nil},
		"off":                    {"postgres->off", true, nil},
		"by flag":                {"postgres->postgres://u@h/d", true, nil},
		"Postgres was installed": {"", true, []string{"data in DATA/x.db is not used: postgres is a private server (installed); --provide postgres=off uses it"}},
		"Postgres is gone": {"postgres->auto", false, []string{"data in DATA/postgres is not used: postgres is off, DATA/x.db instead " +
			"(it is not installed, and no address is given); --provide postgres=on uses it, once the server is installed"}},
		"another Postgres": {"Db=postgres://u:p@h/d", true, []string{
			"data in DATA/x.db is not used: postgres is Postgres of settings.yaml:8, postgres://u:xxxxx@h/d; --provide postgres=off uses it",
			"data in DATA/postgres is not used: postgres is Postgres of settings.yaml:8, postgres://u:xxxxx@h/d; remove that address to use it again"}},
		"another file": {"File=/none", true, nil},
	} {
		b := setup(t)
		if !test.installed {
			b.uninstall()
		}
		if err := errors.Join(os.WriteFile(filepath.Join(b.options.Data, "x.db"), []byte("data"), 0o600),
			os.MkdirAll(filepath.Join(b.options.Data, "postgres", "data"), 0o700)); err != nil {
			t.Fatal(err)
		}
		b.given(test.given)
		p, err := decide(b.requests, b.options, b.kinds)
		if err != nil {
			t.Fatal(err)
		}
		got, want := strings.Join(p.Warnings, "\n"), strings.ReplaceAll(strings.Join(test.want, "\n"), "DATA", b.options.Data)
		if got != want {
			t.Errorf("%s: warnings are\n%s\nwant\n%s", name, got, want)
		}
	}
}

// tools returns Tools for a test, with the decided parameters.
func (b *bench) tools(t *testing.T, p *Plan) Tools {
	return Tools{
		Timed: func(_ string, do func() error) error { return do() }, Log: func(service, line string) { t.Logf("%s: %s", service, line) },
		Failed: func(err error) { t.Error(err) }, Data: b.options.Data, Parameter: func(name string) string { return p.Parameters[name].Text },
	}
}

// TestStart checks that the servers run, and that meanwhile their URLs are in the data folder with mode 0600.
func TestStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.given("clickhouse->auto")
	p, err := decide(b.requests, b.options, b.kinds)
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(b.options.Data, "postgres.url")
	if err := os.WriteFile(left, []byte("left by a killed stack"), 0o600); err != nil {
		t.Fatal(err)
	}
	backing, err := p.Start(t.Context(), b.tools(t, p))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"postgres": "postgres://private\n", "clickhouse": "clickhouse://:geheim@private:9000/?secure=false\n"} {
		path := filepath.Join(b.options.Data, name+".url")
		content, err := os.ReadFile(path)
		if err != nil || string(content) != want {
			t.Errorf("%s has %q, %v; want %q", path, content, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want a file for its owner alone", path, info, err)
		}
	}
	if len(backing.Rows) != 2 || backing.Rows[0] != (Row{"postgres", "private server (installed)"}) {
		t.Errorf("rows %+v", backing.Rows)
	}
	if err := backing.Close(t.Context()); err != nil || !b.database.closed || !b.logs.closed {
		t.Errorf("closed %t and %t, %v", b.database.closed, b.logs.closed, err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end the URL is left: %v", err)
	}
}

// TestStartFails checks that no server keeps running if one cannot start.
func TestStartFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.given("clickhouse->auto")
	b.logs.err = errors.New("no room")
	p, err := decide(b.requests, b.options, b.kinds)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), b.tools(t, p)); err == nil || err.Error() != "no room" || !b.database.closed {
		t.Errorf("error %v, closed %t", err, b.database.closed)
	}
	b = setup(t)
	b.given("Db=postgres://u:p@h/d")
	b.database.err = errors.New("connection refused")
	if p, err = decide(b.requests, b.options, b.kinds); err != nil {
		t.Fatal(err)
	}
	const want = "Postgres of settings.yaml:8, postgres://u:xxxxx@h/d, cannot be reached: connection refused; start it or correct the address\n  - do without: --provide postgres=off"
	if _, err := p.Start(t.Context(), b.tools(t, p)); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestValuesOfServices checks that every value that a template may request exists.
func TestValuesOfServices(t *testing.T) {
	t.Parallel()
	values, _, err := postgreSQL{}.parse("postgres://u:p@h/d")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range spec.Services["postgres"] {
		if values[name] == "" {
			t.Errorf("a Postgres with a whole URL has no %s: %v", name, values)
		}
	}
	if got := (postgreSQL{}).url(func(name string) string {
		return map[string]string{"Host": "h", "Username": "u", "Password": "p", "Database": "d"}[name]
	}); got != "postgres://u:p@h:5432/d" {
		t.Errorf("the URL of its parts is %s", got)
	}
	for service, k := range kinds {
		reserved, err := k.reserve(t.TempDir(), "demo")
		if err != nil {
			t.Fatal(err)
		}
		defer reserved.release()
		for _, name := range spec.Services[service] {
			if reserved.values()[name] == "" {
				t.Errorf("a private %s has no %s", service, name)
			}
		}
	}
}
