package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The local stack runs any SAM template of Go functions and knows no application. Only three folders are about this
// repository's application: e2e (tests of the whole), contract (one API's contract) and compose (LocalStack with Docker
// Compose).
const module = "github.com/eragon-mdi/ksu"

// application matches words of the application: its name, its Makefile, its domain, its parameters and its keys.
var application = regexp.MustCompile(`(?i)\bksu\b` +
	"|`make |\"make [a-z]+\"|\\bmake (run|up|down|test|logs|parity|chaos|bench|lint|build|deploy)\\b" +
	`|\b(tasks?|sweeper|semaphore|iowork)\b` + // AWS's own words are in exceptions
	`|\b(job_?(min|max)_?duration|job_?failure_?rate|worker_?timeout|storage_?(type|path)|database_?url|jobs_?per_?invocation|max_?attempts)\b` +
	`|\b((worker|api)_?concurrency|task_?(visibility_?timeout|queue_?url)|http_?allow|database_?(secret_?arn|pooler|roles))\b` +
	`|\bclick_?house_?(address|username|password|database|secure)\b` +
	`|\bconfig\.yaml\b|\bstorage\.(type|path)\b|\bserver\.port\b|\blogger\.`)

// exceptions are words of AWS and of other programs that look like the application's.
var exceptions = regexp.MustCompile(module + `[a-z/]*|(?i)LAMBDA_TASK_ROOT|Task timed out|(message )?move ?tasks?|MessageMoveTask[a-z]*|already a task running|Only one active task|Task does not exist|Only active tasks|make build-[a-z]+`)

// isFree reports whether a file may name the application.
func isFree(path string) bool {
	switch first, _, _ := strings.Cut(filepath.ToSlash(path), "/"); first {
	case "e2e", "contract", "compose", "compose.yaml", "Dockerfile", "laws_test.go":
		return true
	}
	return false
}

// TestNamesNoApplication checks that no source, test, test data or page below this folder has a word of the
// application.
func TestNamesNoApplication(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || isFree(path) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for i, line := range bytes.Split(content, []byte("\n")) {
			if word := application.Find(exceptions.ReplaceAll(line, nil)); word != nil {
				t.Errorf("%s:%d has the word %q: %s", path, i+1, word, bytes.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were looked at", files)
	}
}

// TestImportsNoApplication checks that no package below this folder depends on the application. It includes tests, e2e
// and contract, which start the application's programs as processes.
func TestImportsNoApplication(t *testing.T) {
	t.Parallel()
	list := func(arguments ...string) []string {
		out, err := exec.Command("go", append([]string{"list"}, arguments...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		return strings.Fields(string(out))
	}
	packages := 0
	for _, p := range list("-deps", "-test", "-f", "{{.ImportPath}}", "./...") {
		rest, ours := strings.CutPrefix(p, module+"/")
		if !ours {
			continue
		}
		packages++
		if first, _, _ := strings.Cut(strings.TrimSuffix(rest, ".test"), "/"); first != "localstack" {
			t.Errorf("the local stack depends on %s", p)
		}
	}
	if packages < 15 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

// TestWordsAreFound checks that the law finds the application's words and leaves AWS's alone.
func TestWordsAreFound(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`"ksu-Api"`: true, `import "` + module + `/localstack/spec"`: false, `// see "make run"`: true, "`make up`": true,
		`GET /task/{id}`: true, `StartMessageMoveTask`: false, `Task timed out after 3.00 seconds`: false, `declares("DatabaseUrl")`: true,
		`os.Getenv("DATABASE_URL")`: true, `ClickHouseAddress`: true, `make([]byte, 1)`: false, `storage.type`: true, `Semaphore: 3`: true, `"ApiConcurrency"`: true, `it can make runs`: false,
	} {
		if got := application.MatchString(exceptions.ReplaceAllString(line, "")); got != want {
			t.Errorf("%s: found %t, want %t", line, got, want)
		}
	}
}
