package stack

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write writes a file into a folder of the test and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlags(t *testing.T) {
	t.Parallel()
	parameters := write(t, "parameters.yaml", "Size: 1\nName: \"a b\"  # settings.yaml:8\nZones: [a, b]\nNone: ~\n")
	variables := write(t, "env.json", `{"Parameters": {"A": "x", "N": 1.50, "B": true}, "Web": {"A": "y"}}`)
	var help strings.Builder
	o, err := ParseFlags([]string{
		"--template", "x/template.yaml", "--stack-name", "demo", "--parameter-overrides", "file://" + parameters,
		"--parameter-overrides", `Size=2 Text="a \"b\"" ParameterKey=Long,ParameterValue=l=1`, "--env-vars", variables,
		"--provide", "postgres=on", "--provide", "clickhouse=h:9000", "--port", "0", "--allow-host", "dev.example.com",
		"--read-timeout", "5s", "--idle-timeout", "0s", "--data", "d", "--pprof", "--check",
	}, &help)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]spec.Value{
		"Size": {Text: "2", Source: "--parameter-overrides"}, "Name": {Text: "a b", Source: "settings.yaml:8"},
		"Zones": {Text: "a,b", Source: parameters + ":3"}, "None": {Source: parameters + ":4"},
		"Text": {Text: `a "b"`, Source: "--parameter-overrides"}, "Long": {Text: "l=1", Source: "--parameter-overrides"},
	} {
		if got := o.Parameters[name]; got != want {
			t.Errorf("parameter %s is %+v, want %+v", name, got, want)
		}
	}
	if v := o.Variables; v["Parameters"]["A"] != "x" || v["Parameters"]["N"] != "1.50" || v["Parameters"]["B"] != "true" || v["Web"]["A"] != "y" {
		t.Errorf("variables %v", v)
	}
	if o.Template != "x/template.yaml" || o.StackName != "demo" || o.Port != 0 || o.AWSPort != 4566 || o.Data != "d" || !o.Profile || !o.Check ||
		o.Provide["postgres"] != "on" || o.Provide["clickhouse"] != "h:9000" || o.AllowHosts[0] != "dev.example.com" ||
		o.Timeouts.Read != 5*time.Second || o.Timeouts.Idle != 0 {
		t.Errorf("options %+v", o)
	}
	if o, err := ParseFlags(nil, &help); err != nil || o.Template != "template.yaml" || o.Port != 8080 || o.AWSPort != 4566 || o.Data != ".local" {
		t.Errorf("without flags: %+v, %v", o, err)
	}
}

func TestFlagsThatAreWrong(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	for arguments, want := range map[string]string{
		"--port x":                      `invalid value "x" for flag -port: allowed are 0 to 65535`,
		"--port 65536":                  `"65536" for flag -port: allowed are 0 to 65535`,
		"--aws-port -1":                 `"-1" for flag -aws-port: allowed are 0 to 65535`,
		"--read-timeout soon":           "-read-timeout: allowed are durations such as 500ms, 5s and 2m",
		"--idle-timeout -1s":            "-idle-timeout: allowed are durations",
		"--allow-host http://a":         "is not a host name",
		"--provide postgres":            "it must have the form NAME=auto",
		"--provide =on":                 "it must have the form NAME=auto",
		"--prot 1":                      "-prot",
		"--pprof=x":                     "-pprof",
		"extra":                         "unknown argument",
		"--parameter-overrides A":       "must have the form Name=value",
		"--parameter-overrides =x":      "must have the form Name=value",
		"--parameter-overrides A=1 B=2": `unknown argument "B=2"; run with --help for the flags, and quote several parameters`,
		"--parameter-overrides file:///nowhere/p.yaml": "read parameters: open /nowhere/p.yaml",
		"--env-vars /nowhere/e.json":                   "read variables: open /nowhere/e.json",
	} {
		_, err := ParseFlags(strings.Fields(arguments), &help)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one line with %s", arguments, err, want)
		}
	}
	if _, err := ParseFlags([]string{"--parameter-overrides", `A="x`}, &help); err == nil || !strings.Contains(err.Error(), "unclosed double quote") {
		t.Errorf("an open quote: %v", err)
	}
	if _, err := ParseFlags([]string{"--parameter-overrides", `A=1 A=2`}, &help); err == nil || !strings.Contains(err.Error(), "duplicate parameter A") {
		t.Errorf("a parameter twice: %v", err)
	}
	if help.Len() > 0 {
		t.Errorf("flags were listed that nobody asked for: %s", &help)
	}
	if _, err := ParseFlags([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-aws-port") {
		t.Errorf("--help: %v, %s", err, &help)
	}
}

// TestFilesThatAreWrong checks that an error names the place and shows no value, which may be a password.
func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"- geheim":                  "p:1: the file is not a mapping of parameters to values",
		"A: geheim\nB: {x: geheim}": "p:2: the value of B is neither a scalar nor a list of scalars",
		"A: [[geheim]]":             "p:1: the value of A is neither a scalar nor a list of scalars",
		"A: x\nA: geheim":           "p is neither YAML nor JSON", // the library's own error would show it
		"A: [geheim":                "p is neither YAML nor JSON",
	} {
		if _, err := decodeParameters("p", []byte(text)); err == nil || err.Error() != want && !strings.Contains(err.Error(), "duplicate parameter A") {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
	if parameters, err := decodeParameters("p", nil); err != nil || len(parameters) != 0 {
		t.Errorf("an empty file: %v, %v", parameters, err)
	}
	for text, want := range map[string]string{
		"":                              "p is not a JSON object of objects",
		"[]":                            "p is not a JSON object of objects",
		`{"A": "geheim"}`:               "p is not a JSON object of objects",
		`{"A": {"B": {"C": "geheim"}}}`: "p: A.B is not a string, a number or a boolean",
		`{"A": {"B": null}}`:            "p: A.B is not a string, a number or a boolean",
		`{} {}`:                         "p is not a JSON object of objects",
	} {
		if _, err := decodeVariables("p", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
}

// FuzzParameters checks that any file or flag is read or refused, and that names are not empty unless the file has
// such.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{`A=1 B="x y"`, `ParameterKey=A,ParameterValue=b`, "A: 1 # x\n", `{"A": ["b"]}`, `{"F": {"A": 1}}`, `"\`, "A: &a [*a]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parameters, err := parseParameters(text)
		if _, empty := parameters[""]; empty && err == nil {
			t.Errorf("%q has a parameter without a name", text)
		}
		_, _ = decodeParameters("p", []byte(text))
		_, _ = decodeVariables("p", []byte(text))
	})
}
