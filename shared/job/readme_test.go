package job_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheJobOfTheREADME builds and tests the job that the README's chapter shows, as if its two files and its line in the
// catalogue were there.
func TestTheJobOfTheREADME(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, chapter, _ := strings.Cut(read("README.md"), "\n## Your own job\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(chapter, -1)
	if len(blocks) != 2 {
		t.Fatalf("the chapter has %d blocks of Go, want the job and its test", len(blocks))
	}
	catalogue := read("shared/job/jobs/jobs.go")
	if !strings.Contains(catalogue, "job/lookup\"\n") { // which a reader may have added
		catalogue = strings.Replace(catalogue, "\t\tiowork.New(", "\t\tlookup.Job,\n\t\tiowork.New(", 1)
		catalogue = strings.Replace(catalogue, "job/iowork\"\n", "job/iowork\"\n\t\"github.com/eragon-mdi/ksu/shared/job/lookup\"\n", 1)
	}
	replace, folder := map[string]string{}, t.TempDir()
	for path, text := range map[string]string{
		"lookup/lookup.go": blocks[0][1], "lookup/lookup_test.go": blocks[1][1], "jobs/jobs.go": catalogue,
	} {
		file := filepath.Join(folder, filepath.Base(path))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, "shared/job", path)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "test", "-c", "-vet=off", "-o", folder+"/", "-overlay", file, "./shared/job/lookup", "./shared/job/jobs")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"lookup.test", "jobs.test"} {
		if out, err := exec.Command(filepath.Join(folder, name)).CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "PASS\n") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
