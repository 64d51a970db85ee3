package template

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

var update = flag.Bool("update", false, "write the goldens in testdata")

// golden compares got with a file.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// templates returns the templates of a folder of testdata.
func templates(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates in %s: %v", folder, err)
	}
	return paths
}

func resolve(path string, o Options) (*spec.Stack, error) {
	parsed, err := Parse(path)
	if err != nil {
		return nil, err
	}
	return parsed.Resolve(o)
}

func TestStacks(t *testing.T) {
	t.Parallel()
	code, err := filepath.Abs("testdata/code")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range templates(t, "stack") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			stack, err := resolve(path, Options{StackName: "test"})
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range stack.Functions {
				if f.Source != code {
					t.Errorf("folder of %s is %s; want %s", f.LogicalID, f.Source, code)
				}
				stack.Functions[i].Source = "code"
			}
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetIndent("", "  ")
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(stack); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".json", text.Bytes())
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, path := range templates(t, "errors") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			_, err := resolve(path, Options{StackName: "test"})
			if err == nil {
				t.Fatal("the template is accepted")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", []byte(filepath.ToSlash(err.Error())+"\n"))
		})
	}
}

// write writes a template beside Go code, for functions without CodeUri, and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesThatAreNoTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  "a template must be a mapping",
		"- a":               "a template must be a mapping",
		"a: [":              "did not find expected node content",
		"Resources: x":      "section Resources is not a mapping",
		"Description: only": "the template has no Resources",
		"Resources: {A: {Type: AWS::Serverless::Api, Properties: {StageName: x}}}": "needs Transform",
	} {
		_, err := resolve(write(t, text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v; want %s", text, err, want)
		}
	}
	if _, err := Parse(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a missing file is accepted")
	}
}

// TestResolveTwice checks that Resolve does not change the template.
func TestResolveTwice(t *testing.T) {
	t.Parallel()
	parsed, err := Parse("testdata/stack/explicit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts [2]string
	for i, limit := range []string{"5", "4"} {
		stack, err := parsed.Resolve(Options{Parameters: map[string]spec.Value{"Limit": {Text: limit}}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(stack)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] == texts[1] || !strings.Contains(texts[0], `"MaximumConcurrency":5`) {
		t.Error("an override has no effect")
	}
	stack, err := parsed.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(stack); string(text) != texts[1] {
		t.Error("the default differs from its own value given")
	}
}
