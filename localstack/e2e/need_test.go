package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// need runs .ci/need with no tools on the PATH but the shell's, so that it can install nothing.
func need(t *testing.T, tools ...string) (out string, ok bool) {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"sh", "sed", "head", "dirname", "id", "uname"} {
		path, err := exec.LookPath(name)
		if err == nil {
			err = os.Symlink(path, filepath.Join(bin, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "../../.ci/need", tools...)
	cmd.Env = []string{"PATH=" + bin, "CC=/nowhere/cc"}
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// TestNeedNamesAllThatIsMissing checks that one run names all missing tools.
func TestNeedNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	out, ok := need(t, "go=/nowhere/go", "cc", "venv")
	const want = `missing:
  Go 1.26 (there is no command /nowhere/go): https://go.dev/dl/
  a C compiler, for go test -race: gcc or clang
  Python 3 with venv: brew install python (macOS)
Debian, Ubuntu: sudo apt-get install gcc libc6-dev python3 python3-venv
`
	if ok || out != want {
		t.Errorf("%t, %s; want %s", ok, out, want)
	}
	for line := range strings.Lines(out) {
		if len(line) > 80 {
			t.Errorf("longer than 79 columns: %s", line)
		}
	}
}

// TestNeedRefusesAnOldGo checks the message for an old Go, which with GOTOOLCHAIN=local gives no clear one itself.
func TestNeedRefusesAnOldGo(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"go version go1.19.8 linux/amd64":              "is version 1.19): https://go.dev/dl/",
		"go version go1.25rc1 linux/amd64":             "is version 1.25): https://go.dev/dl/",
		"go version go1.26.0 linux/amd64":              "",
		"go version go1.100 linux/amd64":               "",
		"go version go2.0 linux/amd64":                 "",
		"go version devel go1.27-3c47ead Tue Jan 13":   "",
		"go: download go1.26: toolchain not available": "version says: go: download go1.26: toolchain not available",
	} {
		program := filepath.Join(t.TempDir(), "go")
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho '"+version+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		out, ok := need(t, "go="+program)
		if ok != (want == "") || !strings.Contains(out, want) || !ok && !strings.HasPrefix(out, "missing:\n  Go 1.26 ("+program) {
			t.Errorf("%s: %t, %s; want %s", version, ok, out, want)
		}
	}
}

// TestMakeWithoutGo checks that make says where to get Go.
func TestMakeWithoutGo(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"run", "test", "logs", "build", "parity", "bench", "migrate_new"} {
		cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "../..", target, "GO=/nowhere/go")
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
		out, err := cmd.CombinedOutput()
		const want = "missing:\n  Go 1.26 (there is no command /nowhere/go): https://go.dev/dl/\n"
		if err == nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("make %s: %v, %s; want %s", target, err, out, want)
		}
	}
}
