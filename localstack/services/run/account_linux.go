package run

import (
	"bufio"
	"errors"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Capabilities by their numbers in linux/capability.h.
const (
	capDacOverride   = 1
	capDacReadSearch = 2
)

// unprivilegedAccount returns the user that root runs servers as: the user who called sudo, else postgres, else
// nobody.
func unprivilegedAccount() (Account, error) {
	uid, uidErr := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, gidErr := strconv.Atoi(os.Getenv("SUDO_GID"))
	if uidErr == nil && gidErr == nil && uid > 0 {
		return Account{change: true, uid: uid, gid: gid}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid > 0 {
			return Account{change: true, uid: uid, gid: gid}, nil
		}
	}
	return Account{}, errors.New("root cannot run a server and this machine has neither a user postgres nor nobody: start the local stack as an ordinary user")
}

// grantSearch lets a process without root's identity still pass through folders that are closed to its user, such as
// a checkout below /root. CAP_DAC_READ_SEARCH is enough; some containers have CAP_DAC_OVERRIDE only. The server's
// superuser can then read files as root. Only root knows that superuser's password, so nothing is given away. Without
// both capabilities, the server itself reports the folder that it may not enter.
func grantSearch(attr *syscall.SysProcAttr) {
	permitted := permittedCapabilities()
	for _, c := range []uintptr{capDacReadSearch, capDacOverride} {
		if permitted&(1<<c) != 0 {
			attr.AmbientCaps = []uintptr{c}
			return
		}
	}
}

// permittedCapabilities returns the permitted set of this process, see proc_pid_status(5).
func permittedCapabilities() uint64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if set, found := strings.CutPrefix(lines.Text(), "CapPrm:"); found {
			bits, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
			if err != nil {
				return 0
			}
			return bits
		}
	}
	return 0
}
