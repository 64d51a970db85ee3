package profiling

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLambdaBuildHasNoProfiles checks the packages of the functions as the Makefile builds them for Lambda.
func TestLambdaBuildHasNoProfiles(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`(?m)^LAMBDA_BUILD = .*-tags=([^" ]+)`).FindSubmatch(makefile)
	functions := regexp.MustCompile(`(?m)^FUNCTIONS = (.+)$`).FindSubmatch(makefile)
	if tags == nil || functions == nil {
		t.Fatal("the Makefile has no LAMBDA_BUILD with -tags, or no FUNCTIONS")
	}
	for _, function := range strings.Fields(string(functions[1])) {
		if deployed := packages(t, function, string(tags[1])); slices.Contains(deployed, "net/http/pprof") {
			t.Errorf("%s has net/http/pprof where it is built with the tags %s", function, tags[1])
		}
		if local := packages(t, function, ""); !slices.Contains(local, "net/http/pprof") {
			t.Errorf("%s serves no profiles locally", function)
		}
	}
}

func packages(t *testing.T, function, tags string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "./"+function)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", function, err, out)
	}
	return strings.Fields(string(out))
}

func TestServe(t *testing.T) { // not parallel: it sets variables
	for _, value := range []string{"x", "2", "1000000"} {
		t.Setenv(Variable, value)
		if err := Serve(); err == nil || !strings.Contains(err.Error(), Variable) {
			t.Errorf("%s=%s: %v", Variable, value, err)
		}
	}
	t.Setenv(Variable, "")
	if err := Serve(); err != nil {
		t.Error(err)
	}
}
