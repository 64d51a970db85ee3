package build

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// script is a binary that runs on every machine.
func script(word string) string { return "#!/bin/sh\necho " + word + "\n" }

func executable(t *testing.T, name, content string) {
	t.Helper()
	write(t, name, content)
	if err := os.Chmod(name, 0o755); err != nil {
		t.Fatal(err)
	}
}

// archive writes a zip file with one file.
func archive(t *testing.T, name, inside string, mode os.FileMode, content string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	header := &zip.FileHeader{Name: inside}
	header.SetMode(mode)
	inner, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHowTheBinaryIsFound builds functions in every way that there is.
func TestHowTheBinaryIsFound(t *testing.T) {
	t.Parallel()
	const module = "module example.com/x\n\ngo 1.24\n"
	root := tree(t, map[string]string{
		"code/go.mod": module, "code/main.go": prints("code"),
		"make/Makefile":  "build-Made:\n\tprintf '#!/bin/sh\\necho made $(ARTIFACTS_DIR)' > $$ARTIFACTS_DIR/bootstrap; chmod +x $(ARTIFACTS_DIR)/bootstrap\n",
		"pattern/go.mod": module, "pattern/main.go": prints("code"),
		"pattern/Makefile": "build-%:\n\tprintf '#!/bin/sh\\necho pattern' > $(ARTIFACTS_DIR)/bootstrap; chmod +x $(ARTIFACTS_DIR)/bootstrap\n",
		"old/go.mod":       module, "old/main.go": prints("compiled"),
	})
	executable(t, filepath.Join(root, "built/bootstrap"), script("built"))
	executable(t, filepath.Join(root, "handler/bin/hello"), script("handler"))
	executable(t, filepath.Join(root, "old/hello"), script("stale"))
	archive(t, filepath.Join(root, "code.zip"), "bootstrap", 0o755, script("zipped"))
	out := filepath.Join(root, "out")
	functions := []Function{
		{Name: "code", Source: "code", Bootstrap: "bootstrap"},
		{Name: "made", Source: "make", BuildMethod: Make, Bootstrap: "bootstrap", LogicalID: "Made"},
		{Name: "pattern", Source: "pattern", Bootstrap: "bootstrap", LogicalID: "Pattern"},
		{Name: "built", Source: "built", Bootstrap: "bootstrap"},
		{Name: "handler", Source: "handler", Bootstrap: "bin/hello", Retired: true},
		{Name: "compiled", Source: "old", Bootstrap: "hello", Retired: true},
		{Name: "zipped", Source: "code.zip", Bootstrap: "bootstrap", LogicalID: "Zipped"},
	}
	for i := range functions {
		functions[i].Source = filepath.Join(root, functions[i].Source)
	}
	for range 2 { // the second build replaces the first
		binaries, err := Build(t.Context(), supervisor(t), functions, out)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range functions {
			if got, _, _ := strings.Cut(output(t, binaries[f.Name]), " "); got != f.Name {
				t.Errorf("%s prints %q", f.Name, got)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(out, temporaryPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("the build left %v (%v)", left, err)
	}
}

func TestBinariesThatAreRefused(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{
		"empty/README": "x", "text/bootstrap": script("x"), "fails/Makefile": "build-F:\n\techo why; exit 3\n", "file.txt": "x",
		"broken.zip": "x", "foreign/go.mod": "module example.com/x\n\ngo 1.24\n", "foreign/main.go": prints("x"),
	})
	executable(t, filepath.Join(root, "odd/bootstrap"), "no program")
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	cmd := exec.Command("go", "build", "-o", "built/bootstrap", ".")
	cmd.Dir, cmd.Env = filepath.Join(root, "foreign"), append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOARCH="+other)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	archive(t, filepath.Join(root, "none.zip"), "deep/bootstrap", 0o755, "x")
	archive(t, filepath.Join(root, "mode.zip"), "bootstrap", 0o644, script("x"))
	archive(t, filepath.Join(root, "odd.zip"), "bootstrap", 0o755, "no program")
	for _, test := range []struct{ source, method, want string }{
		{"none", "", "if the project builds it, do that first"},
		{"file.txt", "", "is not a folder and not a zip file"},
		{"empty", "", "has no bootstrap, no Go code of package main and no Makefile with a target build-F"},
		{"empty", Make, "has no Makefile"},
		{"empty", Prebuilt, "there is no " + filepath.Join(root, "empty/bootstrap")},
		{"text", "", "may not be executed"},
		{"odd", "", "is no program that this machine"},
		{"foreign/built", "", "is a program for linux/" + other + ", and this machine is "},
		{"fails", Make, "make build-F: exit status 2\necho why; exit 3\nwhy"},
		{"none.zip", "", "has no file bootstrap at its top level"},
		{"none.zip", Go, "is a zip file, to which BuildMethod go1.x does not apply"},
		{"mode.zip", "", "zip it with its mode 0755"},
		{"odd.zip", "", "is no program that this machine"},
		{"broken.zip", "", "not a valid zip file"},
	} {
		f := Function{Name: "f", LogicalID: "F", Source: filepath.Join(root, test.source), BuildMethod: test.method, Bootstrap: "bootstrap"}
		if _, err := Build(t.Context(), supervisor(t), []Function{f}, t.TempDir()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: got %v; want %s", test.source, test.method, err, test.want)
		}
	}
}

// TestUnzipStaysInside: a path of a zip file does not lead out of its folder.
func TestUnzipStaysInside(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "evil.zip")
	archive(t, name, "../evil", 0o644, "x")
	if err := unzip(name, t.TempDir()); err == nil || !strings.Contains(err.Error(), "../evil") {
		t.Errorf("got %v", err)
	}
	archive(t, name, "link", 0o777|os.ModeSymlink, "/etc/passwd")
	if err := unzip(name, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file and not a folder") {
		t.Errorf("got %v", err)
	}
}

// TestMakeGetsNoFlags checks that a make that started the local stack does not reach the Makefiles of functions.
func TestMakeGetsNoFlags(t *testing.T) {
	t.Parallel()
	got := withoutMake([]string{"A=1", "MAKEFLAGS=w -- PORT=1", "MAKELEVEL=1", "MFLAGS=-w", "MAKEOVERRIDES=${-*-command-variables-*-}", "MAKE_TERMOUT=/dev/pts/0"})
	if want := []string{"A=1", "MAKE_TERMOUT=/dev/pts/0"}; !slices.Equal(got, want) {
		t.Errorf("environment %q; want %q", got, want)
	}
}
