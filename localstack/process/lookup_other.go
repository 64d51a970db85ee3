//go:build !linux

package process

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// lookup asks ps(1), which POSIX systems have.
func lookup(pid int) (Info, bool, error) {
	out, err := exec.Command("ps", "-o", "ppid=", "-o", "state=", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, fmt.Errorf("look up process %d: %w", pid, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		return Info{}, false, fmt.Errorf("look up process %d: ps answered %q", pid, out)
	}
	parent, err := strconv.Atoi(fields[0])
	if err != nil {
		return Info{}, false, fmt.Errorf("look up process %d: the parent is %q", pid, fields[0])
	}
	command := filepath.Base(strings.Join(fields[2:], " "))
	return Info{Parent: parent, State: fields[1][0], Command: command}, true, nil
}
