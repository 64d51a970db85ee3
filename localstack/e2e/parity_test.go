package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestParity runs the contract's checks. The same program checks other platforms: `make parity URL=…`.
func TestParity(t *testing.T) { eachStorage(t, testParity) }

func testParity(t *testing.T, storage string) {
	program := filepath.Join(t.TempDir(), "contract")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../contract").CombinedOutput(); err != nil {
		t.Fatalf("build the contract checks: %v\n%s", err, out)
	}
	s := start(t, t.TempDir(), "Semaphore=3 JobMinDuration=6s JobMaxDuration=7s JobFailureRate=0", "--storage", storage)
	out, err := exec.CommandContext(t.Context(), program, "-url", s.api, "-tasks", "12", "-wait", "2m").CombinedOutput()
	if err != nil {
		t.Fatalf("contract: %v\n%s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		for _, word := range []string{"skip ", "differs "} {
			if strings.HasPrefix(line, word) && !strings.Contains(line, "the API key") {
				t.Errorf("the local stack is the reference: %s\n%s", line, out)
			}
		}
	}
	if left := s.do("GET", "/task", ""); left.body != "[]" {
		t.Errorf("the checks left tasks behind: %s", left.body)
	}
}
