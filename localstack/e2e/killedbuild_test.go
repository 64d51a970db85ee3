package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// standIn takes the place of the go command, which is at $GO. A build into the folder $HANG_BUILD hangs in a child, as in a
// linker; one into $HANG_PROGRAM makes a program that hangs.
const standIn = `#!/bin/sh
case "$*" in
*"$HANG_BUILD"*) sleep 301 & wait ;;
*"$HANG_PROGRAM"*)
	rm "$HANG_PROGRAM/settings"
	printf '#!/bin/sh\nsleep 301 & wait\n' >"$HANG_PROGRAM/settings"
	chmod +x "$HANG_PROGRAM/settings" ;;
*) exec "$GO" "$@" ;;
esac
`

// TestKilledBuild kills the local stack while a child of its own works on the start: nothing goes on, and the next start
// cleans up.
func TestKilledBuild(t *testing.T) {
	t.Parallel()
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for name, hang := range map[string]string{
		"build of the program that reads the settings": "HANG_BUILD=%s/settings/",
		"program that reads the settings":              "HANG_PROGRAM=%s/settings/",
		"build of the functions":                       "HANG_BUILD=%s/functions/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, bin := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "go"), []byte(standIn), 0o700); err != nil {
				t.Fatal(err)
			}
			arguments := []string{"--template", "../../infra/sam/template.yaml", "--storage", "internal"}
			cmd := command(t, data, arguments...)
			cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "GO="+goCommand, "HANG_BUILD=/nowhere", "HANG_PROGRAM=/nowhere",
				fmt.Sprintf(hang, data))
			s := run(t, cmd)
			var processes []psEntry
			s.until("the start to hang", time.Minute, func() bool {
				processes = family(t, cmd.Process.Pid)
				return slices.ContainsFunc(processes, func(p psEntry) bool { return p.command == "sleep 301" })
			})
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-s.ended
			allGone(t, processes, data)
			if strings.Contains(hang, "PROGRAM") { // with the true go command the program is another
				if err := os.Remove(filepath.Join(data, "settings", "settings")); err != nil {
					t.Fatal(err)
				}
			} else if len(temporary(t, data)) != 1 {
				t.Errorf("the killed build left %v, want a temporary folder", temporary(t, data))
			}

			s = launch(t, data, arguments...)
			s.untilReady()
			if left := temporary(t, data); len(left) > 0 {
				t.Errorf("after the next start there still is %v", left)
			}
		})
	}
}

// temporary lists the hidden files of what is built.
func temporary(t *testing.T, data string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(data, "*", ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}
