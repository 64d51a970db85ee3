package template

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCode: the plan says how the binary of each function is found.
func TestCode(t *testing.T) {
	t.Parallel()
	path := write(t, `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap}}
Resources:
  Code: {Type: AWS::Serverless::Function}
  Make: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: makefile}, Properties: {CodeUri: made}}
  Found: {Type: AWS::Serverless::Function, Properties: {CodeUri: made}}
  Built: {Type: AWS::Serverless::Function, Properties: {CodeUri: built}}
  Skip: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: go1.x, SkipBuild: true}, Properties: {CodeUri: built}}
  Old: {Type: AWS::Serverless::Function, Properties: {Runtime: go1.x, Handler: bin/main, CodeUri: built}}
  OldCode: {Type: AWS::Serverless::Function, Properties: {Runtime: go1.x, Handler: main}}
`)
	for name, content := range map[string]string{
		"made/Makefile": "build-Make build-Found:\n\ttouch x\n", "built/bootstrap": "#!/bin/sh\n", "built/bin/main": "#!/bin/sh\n",
	} {
		name = filepath.Join(filepath.Dir(path), name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	stack, err := resolve(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"Code go1.x bootstrap", "Make makefile bootstrap", "Found makefile bootstrap", "Built prebuilt bootstrap",
		"Skip prebuilt bootstrap", "Old prebuilt bin/main", "OldCode go1.x main",
	} {
		f := stack.Functions[i]
		if got := f.LogicalID + " " + f.BuildMethod + " " + f.Bootstrap; got != want || f.Runtime != "provided.al2023" {
			t.Errorf("got %s on %s; want %s", got, f.Runtime, want)
		}
	}
	if len(stack.Warnings) != 1 || !strings.Contains(stack.Warnings[0], "Old: go1.x, OldCode: go1.x; they run as provided.al2023") {
		t.Errorf("warnings are %q", stack.Warnings)
	}
}

func TestCodeThatIsRefused(t *testing.T) {
	t.Parallel()
	_, err := resolve(write(t, `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap}}
Resources:
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}
  Python: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: python3.12}}
  None: {Type: AWS::Serverless::Function, Properties: {CodeUri: none}}
  Remote: {Type: AWS::Serverless::Function, Properties: {CodeUri: "s3://b/k"}}
  Out: {Type: AWS::Serverless::Function, Properties: {Runtime: go1.x, Handler: ../main}}
  Unbuilt: {Type: AWS::Serverless::Function, Metadata: {SkipBuild: true}}
`), Options{})
	for _, want := range []string{
		"template.yaml:4: Resource Image: property PackageType is Image, and the local stack runs no containers; use Zip with",
		`template.yaml:5: Resource Python: BuildMethod "python3.12" is not supported`,
		"template.yaml:6: Resource None: there is no folder and no zip file none;",
		"template.yaml:7: Resource Remote: property CodeUri is",
		`template.yaml:8: Resource Out: property Handler is "../main"`,
		"template.yaml:9: Resource Unbuilt: there is no ./bootstrap; build it first",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
}
