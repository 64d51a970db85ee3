package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// given is a user's input.
type given struct {
	file string
	// env is "NAME=value NAME=value".
	env  string
	args []string
}

// result is the output of params.
type result struct {
	// flags omit those of the server's time-outs and of the files.
	flags                 []string
	parameters, variables map[string]string
	// lines are those of the parameters' file.
	lines    string
	warnings string
	path     string // of the configuration file
}

// call runs params with a folder of its own.
func (g given) call(t *testing.T) (result, error) {
	t.Helper()
	dir := t.TempDir()
	r := result{path: filepath.Join(dir, "config.yaml")}
	args := append([]string{"-out", filepath.Join(dir, "out")}, g.args...)
	if g.file != "" {
		if err := os.WriteFile(r.path, []byte(g.file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-config", r.path)
	}
	env := map[string]string{}
	for word := range strings.SplitSeq(g.env, " | ") {
		name, value, _ := strings.Cut(word, "=")
		env[name] = value
	}
	var out, errOut strings.Builder
	err := run(args, func(name string) string { return env[name] }, &out, &errOut, nil)
	r.warnings = errOut.String()
	if err != nil {
		return r, err
	}
	pairs := strings.Fields(out.String())
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		switch {
		case name == "--parameter-overrides":
			read(t, strings.TrimPrefix(value, "file://"), &r.lines, func(content []byte) error { return yaml.Unmarshal(content, &r.parameters) })
		case name == "--env-vars":
			var file struct{ Parameters map[string]string }
			read(t, value, nil, func(content []byte) error { return json.Unmarshal(content, &file) })
			r.variables = file.Parameters
		case !strings.HasSuffix(name, "-timeout"):
			r.flags = append(r.flags, name, value)
		}
	}
	return r, nil
}

// read reads a file, which must have mode 0600.
func read(t *testing.T, path string, lines *string, decode func([]byte) error) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = decode(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	if lines != nil {
		*lines = string(content)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v; want a file that only its owner can read", path, info.Mode(), err)
	}
}

// TestDoor checks that settings from a file, the environment and parameters become parameters, variables and flags.
func TestDoor(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]string
	host := "storage: {host: h, user: u, password: geheim, name: n, ssl_mode: disable}\n"
	url := "postgres://u:geheim@h:5432/n?sslmode=disable"
	for name, test := range map[string]struct {
		given given
		want  result
	}{
		"nothing":    {given{}, result{}},
		"a file":     {given{file: "app: {semaphore: 3}\nlogger: {handler: text}\n"}, result{parameters: m{"Semaphore": "3"}, variables: m{"LOGGER_HANDLER": "text"}}},
		"precedence": {given{file: "app: {semaphore: 3}\nserver: {port: 1}\n", env: "APP_SEMAPHORE=5 | SERVER_PORT=2"}, result{flags: []string{"--port", "2"}, parameters: m{"Semaphore": "5"}}},
		"PARAMS":     {given{file: "app: {semaphore: 3}\n", env: `APP_SEMAPHORE=5 | PARAMS=Semaphore=7 Own="a b"`}, result{parameters: m{"Semaphore": "7", "Own": "a b"}}},
		"an empty parameter is the default": {given{file: "job: {min_duration: 1m, max_duration: 2m}\n", env: "PARAMS=JobMaxDuration="},
			result{parameters: m{"JobMinDuration": "1m0s", "JobMaxDuration": ""}}},
		"-parameters": {given{args: []string{"-parameters", "ParameterKey=Own,ParameterValue=1"}, env: "PARAMS=Own=2"}, result{parameters: m{"Own": "1"}}},

		"a database at a host": {given{file: host}, result{parameters: m{"DatabaseUrl": url}}},
		"a database's URL":     {given{file: host, env: "DATABASE_URL=postgres://e/d"}, result{parameters: m{"DatabaseUrl": "postgres://e/d"}}},
		"a database in PARAMS": {given{file: host, env: "PARAMS=DatabaseUrl=postgres://p/d"}, result{parameters: m{"DatabaseUrl": "postgres://p/d"}}},
		"postgres":             {given{args: []string{"-storage", "postgres"}}, result{flags: []string{"--provide", "postgres=on"}}},
		"postgres in the file": {given{file: "storage: {type: postgres}\n"}, result{flags: []string{"--provide", "postgres=on"}}},
		"auto":                 {given{file: "storage: {type: internal}\n", args: []string{"-storage", "auto"}}, result{flags: []string{"--provide", "postgres=auto"}}},
		"internal": {given{file: "storage: {host: h, path: x.db}\n", args: []string{"-storage", "internal"}},
			result{flags: []string{"--provide", "postgres=off"}, parameters: m{"StoragePath": filepath.Join(here, "x.db")},
				warnings: "Postgres of PATH:1, postgres://ksu@h:5432/ksu, is not used: the storage is internal, of STORAGE; STORAGE=postgres uses it"}},
		"internal in PARAMS": {given{env: "PARAMS=StorageType=internal", args: []string{"-storage", "postgres"}},
			result{flags: []string{"--provide", "postgres=off"}, parameters: m{"StorageType": "internal"}}},
		"a folder of migrations": {given{file: "storage: {migaret_src: 'file://migrations'}\n"}, result{variables: m{"STORAGE_MIGRATE_SRC": "file://" + (&neturl.URL{Path: filepath.Join(here, "migrations")}).EscapedPath()},
			warnings: "PATH:1: storage.migaret_src is a misspelling of storage.migrate_src"}},

		"ClickHouse": {given{file: "clickhouse: {address: 'c:9000', password: geheim}\n"},
			result{parameters: m{"ClickHouseAddress": "c:9000", "ClickHousePassword": "geheim", "ClickHouseSecure": "false"}}},
		"ClickHouse by TLS": {given{file: "clickhouse: {address: 'c:9440', secure: true}\n"}, result{parameters: m{"ClickHouseAddress": "c:9440", "ClickHouseSecure": "true"}}},
		"ClickHouse in PARAMS": {given{file: "clickhouse: {address: 'c:9000'}\n", env: "PARAMS=ClickHouseAddress=p:9440"},
			result{parameters: m{"ClickHouseAddress": "p:9440"}}},
		"another ClickHouse": {given{file: "clickhouse: {address: 'c:9000'}\n", args: []string{"-clickhouse", "d:1"}},
			result{flags: []string{"--provide", "clickhouse=d:1"}, parameters: m{"ClickHouseSecure": "false"}}},
		"a started ClickHouse": {given{args: []string{"-clickhouse", "auto"}}, result{flags: []string{"--provide", "clickhouse=auto"}}},
		"no ClickHouse":        {given{file: "clickhouse: {address: 'c:9000'}\n", args: []string{"-clickhouse", "off"}}, result{flags: []string{"--provide", "clickhouse=off"}}},
		"the terminal alone": {given{file: "clickhouse: {address: 'c:9000'}\n", env: "LOGGER_OUTPUT_INTERNAL=true", args: []string{"-clickhouse", "auto"}},
			result{flags: []string{"--provide", "clickhouse=off"},
				warnings: "CLICKHOUSE=auto has no effect: logger.output_internal of environment variable LOGGER_OUTPUT_INTERNAL keeps log lines to the terminal"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := test.given.call(t)
			if err != nil {
				t.Fatal(err)
			}
			warnings := strings.ReplaceAll(test.want.warnings, "PATH", got.path)
			if warnings != "" {
				warnings = "warning: " + warnings + "\n"
			}
			if !slices.Equal(got.flags, test.want.flags) || !maps.Equal(got.parameters, test.want.parameters) ||
				!maps.Equal(got.variables, test.want.variables) || got.warnings != warnings {
				t.Errorf("got %+v; want %+v", got, test.want)
			}
		})
	}
}

// TestSources checks that the place of a value follows it in a comment, where the local stack's errors find it.
func TestSources(t *testing.T) {
	t.Parallel()
	got, err := given{file: "job: {failure_rate: 0.5}\nstorage:\n  host: h\n", env: `APP_SEMAPHORE=5 | PARAMS=Own="\"a\" # b"`}.call(t)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`DatabaseUrl: "postgres://ksu@h:5432/ksu?sslmode=prefer"  # PATH:3
Semaphore: "5"  # environment variable APP_SEMAPHORE
JobFailureRate: "0.5"  # PATH:1
Own: "\"a\" # b"  # PARAMS
`, "PATH", got.path)
	if got.lines != want || got.parameters["Own"] != `"a" # b` {
		t.Errorf("the file is\n%swant\n%s", got.lines, want)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("server: {read_timeout: 1s, idle_timeout: 0s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-config", path, "-out", t.TempDir()}, func(string) string { return "" }, &out, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	want := "--read-timeout 1s --write-timeout 35s --read-header-timeout 2s --idle-timeout 8760h0m0s"
	if got := strings.Join(strings.Fields(out.String()), " "); got != want {
		t.Errorf("flags %s; want %s", got, want)
	}
}

// TestAllErrorsAtOnce checks that errors of keys, parameters and flags are one list, without passwords.
func TestAllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	got, err := given{
		file: "storage: {port: x, secret_arn: 'arn:aws:secretsmanager:x'}\ntask: {queue_url: 'http://q'}\n",
		env:  `PARAMS=JobFailureRate=7 DatabaseUrl=geheim half Own=1 Own=2 "open`, args: []string{"-storage", "paper", "-clickhouse", "x"},
	}.call(t)
	want := strings.ReplaceAll(`configuration:
PARAMS: unclosed double quote
PARAMS: "half" must have the form Name=value
PARAMS: duplicate parameter Own
PATH:1: storage.port is "x"; allowed are whole numbers from 1 to 65535
parameter JobFailureRate: job.failure_rate is "7"; allowed are numbers from 0 to 1
parameter DatabaseUrl: storage.database_url is [secret]; allowed are URLs that begin with postgres:// or postgresql://
PATH:2: task.queue_url has no effect: the template sets TASK_QUEUE_URL
PATH:1: storage.secret_arn is "arn:aws:secretsmanager:x"; the local stack has no Secrets Manager and no IAM: give the database's password
STORAGE is "paper"; allowed are auto, postgres, internal
CLICKHOUSE is "x"; allowed are auto, off, and the host:port of a server's native protocol`, "PATH", got.path)
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
	got, err = given{file: "job: {min_duration: 1m, max_duration: 2m}\n", env: "PARAMS=JobMaxDuration=2s"}.call(t)
	want = "configuration:\nparameter JobMaxDuration: job.max_duration is \"2s\"; allowed are durations from job.min_duration (1m0s, " + got.path + ":1)"
	if err == nil || err.Error() != want {
		t.Errorf("error %v; want %s", err, want)
	}
}

// TestCommand checks that params becomes the command, with its own flags before the command's.
func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "params")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho $$ \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-out", dir, "--", script, "--port", "3", "a b")
	cmd.Env = []string{"SERVER_PORT=9"}
	out, err := cmd.CombinedOutput()
	want := fmt.Sprintf("%d --port 9 --read-timeout 5s ", cmd.Process.Pid)
	if err != nil || !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), " --port 3 a b\n") {
		t.Errorf("the command says %s, %v; want %s… --port 3 a b", out, err, want)
	}
	none := exec.CommandContext(t.Context(), program, "-out", dir, "--", "no-such-command")
	if out, err := none.CombinedOutput(); err == nil || !strings.Contains(string(out), "run no-such-command: ") {
		t.Errorf("a command that does not exist: %s, %v", out, err)
	}
	var became []string
	become := func(command []string) error { became = command; return nil }
	err = run([]string{"-out", dir, "--", "stack", "--port", "3"}, func(string) string { return "" }, io.Discard, io.Discard, become)
	if err != nil || len(became) < 4 || became[0] != "stack" || !slices.Equal(became[len(became)-2:], []string{"--port", "3"}) {
		t.Errorf("the command is %q, %v", became, err)
	}
	if err := run([]string{"stack"}, func(string) string { return "" }, io.Discard, io.Discard, become); err == nil || !strings.Contains(err.Error(), "must follow --") {
		t.Errorf("a command without --: %v", err)
	}
	if err := run([]string{"-out", "/dev/null/x"}, func(string) string { return "" }, io.Discard, io.Discard, nil); err == nil ||
		!strings.Contains(err.Error(), "make the folder of the parameters") {
		t.Errorf("a folder that cannot be made: %v", err)
	}
	failed := errors.New("failed")
	if err := run([]string{"-out", dir, "--", "x"}, func(string) string { return "" }, io.Discard, io.Discard, func([]string) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a command that cannot run: %v", err)
	}
}

// FuzzOverrides checks that every text is parsed or refused, and that quoted parameters are read back.
func FuzzOverrides(f *testing.F) {
	for _, seed := range []string{"A=b C=d", `A="b c"`, `A="\""`, "ParameterKey=A,ParameterValue=b", `"`, "=", "A=b A=c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseOverrides(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, o := range list {
			again.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(o.name+"="+o.value) + `" `)
		}
		same, err := parseOverrides(again.String())
		if err != nil || !slices.Equal(same, list) && !strings.Contains(text, "ParameterKey=") {
			t.Errorf("%q is read as %v, and written as %q as %v, %v", text, list, again.String(), same, err)
		}
	})
}
