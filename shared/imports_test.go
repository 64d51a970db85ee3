// Package shared_test checks the folders of the repository against its layout, and those of the application against
// their allowed imports.
package shared_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/eragon-mdi/ksu/"

// allowed are the folders of this repository that a folder may import, besides those below itself. A folder without a
// row is below one with a row.
var allowed = map[string][]string{
	"shared/app":          {"shared"},
	"shared/config":       {},
	"shared/httpapi":      {"shared/job", "shared/logging", "shared/task"},
	"shared/job":          {"shared/task"},
	"shared/job/jobs":     {"shared/config", "shared/job"},
	"shared/logging":      {},
	"shared/profiling":    {},
	"shared/queue":        {"shared/logging", "shared/task"},
	"shared/runner":       {"shared/job", "shared/logging", "shared/queue", "shared/task"},
	"shared/store":        {"shared/config", "shared/task"},
	"shared/sweeper":      {"shared/logging", "shared/queue", "shared/task"},
	"shared/task":         {},
	"shared/testserver":   {},
	"shared/logging/logs": {"shared/config"},

	"functions":          {"shared"},
	"migrate":            {"shared/config", "shared/logging", "shared/profiling", "shared/store/postgres"},
	"migrate/schematest": {"migrate", "shared/config", "localstack/process", "localstack/services"},
}

// TestImports checks that each package imports only the folders in its row.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...", "../functions/...", "../migrate/...") {
		folder := strings.TrimPrefix(p.ImportPath, module)
		row := folder
		for allowed[row] == nil && strings.Contains(row, "/") {
			row = row[:strings.LastIndex(row, "/")]
		}
		if allowed[row] == nil {
			if len(p.GoFiles) > 0 {
				t.Errorf("%s has no row", folder)
			}
			continue
		}
		for _, imported := range p.Imports {
			of, ours := strings.CutPrefix(imported, module)
			within := func(parent string) bool { return of == parent || strings.HasPrefix(of, parent+"/") }
			if ours && !within(row) && !slices.ContainsFunc(allowed[row], within) {
				t.Errorf("%s imports %s; allowed are %v", folder, of, allowed[row])
			}
		}
	}
}

// TestSharedStandsAlone checks that no package of shared depends on the rest of the repository, tests and their helpers
// included.
func TestSharedStandsAlone(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "-deps", "-test", "./...") {
		for _, folder := range []string{"migrate", "localstack", "functions"} {
			if strings.HasPrefix(p.ImportPath, module+folder) {
				t.Errorf("a package of shared, or one of its tests, depends on %s", p.ImportPath)
			}
		}
	}
}

// TestTopLevel checks that all packages are in the folders of the repository's layout.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	if _, err := os.ReadDir(".."); err != nil { // a new folder invalidates a cached result
		t.Fatal(err)
	}
	for _, p := range list(t, "../...") {
		folder, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module), "/")
		if !slices.Contains([]string{"functions", "shared", "infra", "migrate", "localstack"}, folder) {
			t.Errorf("%s is in a folder that the layout does not have", p.ImportPath)
		}
	}
}

type pkg struct {
	ImportPath       string
	GoFiles, Imports []string
}

func list(t *testing.T, args ...string) (packages []pkg) {
	t.Helper()
	openSources(t)
	args = append([]string{"list", "-json=ImportPath,GoFiles,Imports"}, args...)
	var wrong bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, &wrong)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// openSources opens the sources that the go command reads: `go test` reuses a result while the files that a test itself
// opened are unchanged.
func openSources(t *testing.T) {
	t.Helper()
	for _, root := range []string{".", "../functions", "../migrate"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			return file.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
