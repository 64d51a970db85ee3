package run

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAccountFor(t *testing.T) {
	t.Setenv("SUDO_UID", "12345")
	t.Setenv("SUDO_GID", "54321")
	a, err := AccountFor(filepath.Join(t.TempDir(), "none"))
	switch {
	case os.Geteuid() != 0:
		if err != nil || a != (Account{}) {
			t.Errorf("an ordinary user's services run as %+v (%v), want himself", a, err)
		}
	case runtime.GOOS != "linux":
		if err == nil || !strings.Contains(err.Error(), "ordinary user") {
			t.Errorf("root's servers: %v, want an error that names the way out", err)
		}
	default:
		if want := (Account{change: true, uid: 12345, gid: 54321}); err != nil || a != want {
			t.Errorf("with sudo, services run as %+v (%v), want %+v", a, err, want)
		}
		t.Setenv("SUDO_UID", "0")
		a, err = AccountFor(filepath.Join(t.TempDir(), "none"))
		if err != nil || !a.change || a.uid == 0 {
			t.Errorf("root's services run as %+v (%v), want an ordinary user", a, err)
		}
	}
}

func TestReaches(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	closed := filepath.Join(root, "closed")
	if err := os.MkdirAll(filepath.Join(closed, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(closed, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	own := Account{change: true, uid: os.Geteuid(), gid: os.Getegid()}
	other := Account{change: true, uid: 12345, gid: 54321}
	for _, path := range []string{filepath.Join(closed, "data"), filepath.Join(root, "link", "data")} {
		if !own.reaches(path) {
			t.Errorf("the owner does not reach %s", path)
		}
		if other.reaches(path) {
			t.Errorf("another user reaches %s", path)
		}
	}
	if own.reaches(filepath.Join(root, "none")) {
		t.Error("the owner reaches what does not exist")
	}
}
