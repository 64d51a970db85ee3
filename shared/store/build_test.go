package store_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// deployed are the programs that `sam build` builds, relative to this folder.
var deployed = []string{"../../functions/api", "../../functions/worker", "../../functions/sweeper", "../../migrate"}

// TestDeployedFunctionsCarryNoEmbeddedStore asks the go command for their packages, with the Makefile's build tags.
func TestDeployedFunctionsCarryNoEmbeddedStore(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`(?m)^LAMBDA_BUILD = .*-tags=([a-z_.,]+)`).FindSubmatch(makefile)
	if tags == nil {
		t.Fatal("the Makefile's LAMBDA_BUILD has no -tags")
	}
	if with := dependencies(t, ""); !strings.Contains(with, "modernc.org/sqlite\n") || !strings.Contains(with, "github.com/eragon-mdi/ksu/shared/store/sqlite\n") {
		t.Error("a plain build has no embedded store")
	}
	without := dependencies(t, string(tags[1]))
	for line := range strings.Lines(without) {
		if strings.HasPrefix(line, "modernc.org/") || strings.Contains(line, "sqlite") {
			t.Errorf("with -tags=%s the functions depend on %s", tags[1], line)
		}
	}
	if !strings.Contains(without, "github.com/eragon-mdi/ksu/shared/store/postgres\n") {
		t.Errorf("with -tags=%s the functions have no store", tags[1])
	}
}

func dependencies(t *testing.T, tags string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-tags=" + tags}, deployed...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return string(out)
}
