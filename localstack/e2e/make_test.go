package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// made runs make with variables on the command line and others in the environment, and returns its output. make fails,
// since the fake programs do.
func made(t *testing.T, environment []string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("make", append([]string{"--no-print-directory", "-C", "../.."}, arguments...)...)
	// `make test` itself exports SERVER_PORT.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "SERVER_PORT=") || strings.HasPrefix(v, "KSU_CONFIG=")
	})
	cmd.Env = append(cmd.Env, "MAKEFLAGS=", "MAKELEVEL=", "PORT=", "AWS_PORT=", "PARAMS=", "STORAGE=", "CLICKHOUSE=", "DATA=", "CONFIG=", "PPROF=")
	cmd.Env = append(cmd.Env, environment...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("make %s succeeded: %s", arguments, out)
	}
	return string(out)
}

// goVersion is the part of a fake go that .ci/need accepts as new enough.
const goVersion = "[ \"$1\" != version ] || { echo go version go1.26.0 linux/amd64; exit; }\n"

// goodGo is a fake go that always succeeds and does nothing.
func goodGo(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+goVersion), 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

// TestMakeValuesAsTheyAre checks that quotes, spaces, $ and # in a value survive, on the command line and in the
// environment.
func TestMakeValuesAsTheyAre(t *testing.T) {
	t.Parallel()
	const value = `a $x "$(shell echo no)" ${HOME} 'b' #c\`
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+goVersion+"printf '<%s>' \"$@\" \"$API_KEY\" \"$task\"\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		target    string
		variables []string
		want      string
	}{
		{"run", []string{"PARAMS", "STORAGE", "CLICKHOUSE", "DATA", "CONFIG"},
			"<-config><V><-storage><V><-clickhouse><V><-out><V/run><--><V/bin/localstack><--template><infra/sam/template.yaml><--data><V><><>"},
		{"run", nil, "<-out><.local/run><--><.local/bin/localstack><--template><infra/sam/template.yaml><><>"},
		{"parity", []string{"URL", "API_KEY"}, "<run><./localstack/contract><-url><V><V><>"},
		{"parity", nil, "<run><./localstack/contract><-url><http://127.0.0.1:7777><><>"},
		{"logs", []string{"task"}, "<./shared/logging/logs><><V>"},
	} {
		programs := []string{c.target, "GO=" + program}
		if c.target == "run" {
			programs = []string{c.target, "GO=" + goodGo(t), "PARAMS_PROGRAM=" + program}
		}
		var given []string
		for _, name := range c.variables {
			given = append(given, name+"="+value)
		}
		environment := []string{"SERVER_PORT=7777", "URL=", "API_KEY=", "task="}
		for origin, out := range map[string]string{
			"the command line": made(t, environment, append(programs, given...)...),
			"the environment":  made(t, append(environment, given...), programs...),
			"make -e":          made(t, append(environment, given...), append(programs, "-e")...),
		} {
			if want := strings.ReplaceAll(c.want, "V", value); !strings.Contains(out, want) {
				t.Errorf("make %s with %s of %s: %s; want %s", c.target, c.variables, origin, out, want)
			}
		}
	}
}

// TestMakeSaysThatItCompiles checks the message before the first compilation, which takes a while and prints nothing
// itself.
func TestMakeSaysThatItCompiles(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	if out := made(t, nil, "run", "GO="+goodGo(t), "LOCALSTACK="+none); !strings.HasPrefix(out, "compile the local stack") {
		t.Errorf("before the first compilation: %s", out)
	}
}

// TestMakeHelp checks that targets are in groups, and that lines end before column 80.
func TestMakeHelp(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "../..")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	groups, targets := 0, 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) > 79 {
			t.Errorf("longer than 79 columns: %s", line)
		}
		switch {
		case line != "" && line[0] != ' ' && !strings.Contains(line, "="):
			groups++
		case strings.HasPrefix(line, "  ") && line[2] != ' ':
			targets++
		}
	}
	if groups != 4 || targets < 15 {
		t.Errorf("%d groups, %d targets: %s", groups, targets, out)
	}
}

// TestMakeSetsThePort checks precedence: the environment's SERVER_PORT, then a file, then .env, which is in the
// repository.
func TestMakeSetsThePort(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+goVersion+"exit\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	printer := filepath.Join(t.TempDir(), "print")
	if err := os.WriteFile(printer, []byte("#!/bin/sh\necho \"port <$SERVER_PORT>\"\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		environment []string
		want        string
	}{
		{nil, "port <8080>"},
		{[]string{"CONFIG=config.yaml"}, "port <>"},
		{[]string{"KSU_CONFIG=config.yaml"}, "port <>"},
		{[]string{"CONFIG=config.yaml", "SERVER_PORT=9000"}, "port <9000>"},
		{[]string{"SERVER_PORT=9000"}, "port <9000>"},
	} {
		if out := made(t, c.environment, "run", "GO="+program, "LOCALSTACK="+printer, "PARAMS_PROGRAM="+printer); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s; want %s", c.environment, out, c.want)
		}
	}
}
