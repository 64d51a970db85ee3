package postgres

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindAll(t *testing.T) {
	root := t.TempDir()
	for name, programs := range map[string]string{
		"lib/9.6/bin":    "postgres initdb",
		"lib/15/bin":     "postgres initdb",
		"lib/17/bin":     "postgres", // no initdb: the client's package, or a partial removal
		"path":           "psql",     // as on Debian
		"configured/bin": "postgres initdb pg_config",
		"linked/bin":     "postgres initdb",
	} {
		for _, program := range strings.Fields(programs) {
			write(t, filepath.Join(root, name, program), "#!/bin/sh\necho "+filepath.Join(root, name)+"\n")
		}
	}
	if err := os.Mkdir(filepath.Join(root, "links"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "linked/bin/postgres"), filepath.Join(root, "links/postgres")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "configured/bin/pg_config"), filepath.Join(root, "path/pg_config")); err != nil {
		t.Fatal(err)
	}
	patterns := []string{filepath.Join(root, "none*"), filepath.Join(root, "lib/*/bin")}
	tests := map[string]struct {
		path []string
		want []string
	}{
		"folders of packages, newest first": {path: nil, want: []string{"lib/15/bin", "lib/9.6/bin"}},
		"pg_config before them":             {path: []string{"path"}, want: []string{"configured/bin", "lib/15/bin", "lib/9.6/bin"}},
		"the PATH before all":               {path: []string{"path", "lib/9.6/bin"}, want: []string{"lib/9.6/bin", "configured/bin", "lib/15/bin"}},
		"a link on the PATH":                {path: []string{"links"}, want: []string{"linked/bin", "lib/15/bin", "lib/9.6/bin"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var path, want []string
			for _, dir := range test.path {
				path = append(path, filepath.Join(root, dir))
			}
			for _, dir := range test.want {
				want = append(want, filepath.Join(root, dir))
			}
			t.Setenv("PATH", strings.Join(path, ":"))
			if got := findAll(patterns); !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
	t.Setenv("PATH", "")
	if got := findAll(nil); got != nil {
		t.Errorf("found %q where there is none", got)
	}
}

func TestFindOnThisMachine(t *testing.T) {
	t.Parallel()
	bindir, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	version, err := versionOf(t.Context(), bindir)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(bindir, version)
}

func TestMajorOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"15.14": "15", "18beta1": "18", "9.6.24": "9.6"} {
		if got := majorOf(version); got != want {
			t.Errorf("majorOf(%q) is %q, want %q", version, got, want)
		}
	}
}

// write writes a program.
func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}
