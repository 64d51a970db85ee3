package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prints returns a program that prints a word.
func prints(word string) string {
	return fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", word)
}

// tree writes files into a new folder and returns the folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(root, name), content)
	}
	return root
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// supervisor returns a supervisor that ends with the test.
func supervisor(t *testing.T) *process.Supervisor {
	t.Helper()
	s, err := process.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func output(t *testing.T, binary string) string {
	t.Helper()
	out, err := exec.Command(binary).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", binary, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestBuild(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{
		"one/go.mod":              "module example.com/one\n\ngo 1.24\n",
		"one/functions/a/main.go": prints("a"),
		"one/functions/b/main.go": prints("b"),
		"one/other/b/main.go":     prints("other b"), // same name as another
		"one/v2/main.go":          prints("v2"),      // the go command skips this name
		"two/go.mod":              "module example.com/elsewhere/name\n\ngo 1.24\n",
		"two/main.go":             prints("two"), // in the module's own folder
		"two/inner/main.go":       prints("inner"),
	})
	if err := os.Symlink(filepath.Join(root, "two"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	var functions []Function
	want := map[string]string{}
	for name, f := range map[string][2]string{
		"A": {"one/functions/a", "a"}, "AAgain": {"one/functions/a", "a"}, "B": {"one/functions/b", "b"}, "OtherB": {"one/other/b", "other b"},
		"V": {"one/v2", "v2"}, "Two": {"two", "two"}, "TwoAgain": {"link", "two"}, "Inner": {"two/inner", "inner"},
	} {
		functions = append(functions, Function{Name: name, Source: filepath.Join(root, f[0]), BuildMethod: "go1.x"})
		want[name] = f[1]
	}
	out := filepath.Join(root, "out", "bin")
	write(t, filepath.Join(out, ".build-1", "go-build2", "b001", "a.out"), "of a build that was killed")
	binaries, err := Build(t.Context(), supervisor(t), functions, out)
	if err != nil {
		t.Fatal(err)
	}
	if len(binaries) != len(want) {
		t.Errorf("got %d binaries, want %d: %v", len(binaries), len(want), binaries)
	}
	for name, word := range want {
		if filepath.Dir(binaries[name]) != out {
			t.Errorf("%s's binary is %s, want it in %s", name, binaries[name], out)
			continue
		}
		if got := output(t, binaries[name]); got != word {
			t.Errorf("%s prints %q, want %q", name, got, word)
		}
	}
	if left, err := filepath.Glob(filepath.Join(out, ".*")); err != nil || len(left) > 0 {
		t.Errorf("the build left %v (%v)", left, err)
	}
}

// TestBuildAgain checks that a build without changes leaves the binary alone, and that a change does not disturb a
// process of the old binary.
func TestBuildAgain(t *testing.T) {
	t.Parallel()
	const waits = "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tfmt.Println(%q)\n\t_, _ = os.Stdin.Read(make([]byte, 1))\n\tfmt.Println(%[1]q)\n}\n"
	root := tree(t, map[string]string{
		"go.mod":    "module example.com/one\n\ngo 1.24\n",
		"a/main.go": fmt.Sprintf(waits, "former"),
		"b/main.go": prints("b"),
	})
	functions := []Function{{Name: "A", Source: filepath.Join(root, "a"), BuildMethod: "go1.x"}, {Name: "B", Source: filepath.Join(root, "b"), BuildMethod: "go1.x"}}
	out := filepath.Join(root, "bin")
	build := func() string {
		t.Helper()
		binaries, err := Build(t.Context(), supervisor(t), functions, out)
		if err != nil {
			t.Fatal(err)
		}
		return binaries["A"]
	}
	stat := func(name string) os.FileInfo {
		t.Helper()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	binary := build()
	before := stat(binary)
	cmd := exec.Command(binary)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	if lines.Scan(); lines.Text() != "former" {
		t.Fatalf("the program printed %q", lines.Text())
	}

	if again := build(); again != binary || !os.SameFile(before, stat(again)) {
		t.Errorf("a build without changes wrote %s again", again)
	}
	write(t, filepath.Join(root, "a/main.go"), prints("latter"))
	if got := output(t, build()); got != "latter" {
		t.Errorf("after a change the binary prints %q", got)
	}
	_ = in.Close()
	if lines.Scan(); lines.Text() != "former" {
		t.Errorf("the running program went on with %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{
		"go.mod":           "module example.com/one\n\ngo 1.24\n",
		"good/main.go":     prints("good"),
		"bad/main.go":      "package main\n\nfunc main() { missing() }\n",
		"shared/shared.go": "package shared\n\nfunc Broken() int { return \"text\" }\n",
		"x/main.go":        "package main\n\nimport \"example.com/one/shared\"\n\nfunc main() { shared.Broken() }\n",
		"y/main.go":        "package main\n\nimport \"example.com/one/shared\"\n\nfunc main() { shared.Broken() }\n",
		"empty/README":     "nothing",
	})
	f := func(name string) Function {
		return Function{Name: "The" + name, Source: filepath.Join(root, name), BuildMethod: "go1.x"}
	}
	python := f("good")
	python.BuildMethod = "python3.12"
	tests := map[string]struct {
		functions []Function
		want      []string
		never     string
	}{
		"a program that does not compile": {[]Function{f("good"), f("bad")},
			[]string{"function Thebad (" + filepath.Join(root, "bad") + ") cannot be built:", "bad/main.go:3:15: undefined: missing"}, "Thegood"},
		"a shared package that does not compile": {[]Function{f("x"), f("good"), f("y")},
			[]string{"function Thex (" + filepath.Join(root, "x") + "), function They (" + filepath.Join(root, "y") + ") cannot be built:", "shared/shared.go:3:28"}, "Thegood"},
		"no folder":            {[]Function{f("none"), f("good")}, []string{"function Thenone: there is no folder and no zip file " + filepath.Join(root, "none")}, "Thegood"},
		"no folder but a file": {[]Function{f("good/main.go")}, []string{"is not a folder"}, ""},
		"no Go files":          {[]Function{f("empty")}, []string{"function Theempty", "has no Go files"}, ""},
		"not package main":     {[]Function{f("shared")}, []string{"function Theshared", "has package shared"}, ""},
		"another build method": {[]Function{python}, []string{`function Thegood: BuildMethod "python3.12" is not supported by the local stack; supported are go1.x, makefile`}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Build(t.Context(), supervisor(t), test.functions, t.TempDir())
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range test.want {
				if strings.Count(err.Error(), text) != 1 {
					t.Errorf("want %q once in:\n%v", text, err)
				}
			}
			if test.never != "" && strings.Contains(err.Error(), test.never) {
				t.Errorf("%q is blamed in:\n%v", test.never, err)
			}
		})
	}
}

func TestBuildWithoutGo(t *testing.T) {
	root := tree(t, map[string]string{"go.mod": "module example.com/one\n\ngo 1.24\n", "a/main.go": prints("a")})
	t.Setenv("PATH", root)
	_, err := Build(t.Context(), supervisor(t), []Function{{Name: "A", Source: filepath.Join(root, "a"), BuildMethod: "go1.x"}}, root)
	if !errors.Is(err, ErrNoGo) {
		t.Errorf("got %v, want %v", err, ErrNoGo)
	}
}

func TestBuildInterrupted(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{"go.mod": "module example.com/one\n\ngo 1.24\n", "a/main.go": prints("a")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(root, "bin")
	_, err := Build(ctx, supervisor(t), []Function{{Name: "A", Source: filepath.Join(root, "a"), BuildMethod: "go1.x"}}, out)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) > 0 {
		t.Errorf("an interrupted build left %v (%v)", entries, err)
	}
}
