package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// lookup reads /proc/PID/stat, see proc_pid_stat(5): "PID (COMMAND) STATE PARENT …".
func lookup(pid int) (Info, bool, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, fmt.Errorf("look up process %d: %w", pid, err)
	}
	// A command may contain spaces and parentheses.
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return Info{}, false, fmt.Errorf("look up process %d: unexpected content of stat: %q", pid, stat)
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 2 {
		return Info{}, false, fmt.Errorf("look up process %d: unexpected content of stat: %q", pid, stat)
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return Info{}, false, fmt.Errorf("look up process %d: the parent is %q", pid, fields[1])
	}
	return Info{Parent: parent, State: fields[0][0], Command: string(stat[open+1 : end])}, true, nil
}
