package services

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

// unprivilegedAccount chooses the user that root runs services as: the one who called sudo, else postgres,
// else nobody.
func unprivilegedAccount() (account, error) {
	uid, uidErr := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, gidErr := strconv.Atoi(os.Getenv("SUDO_GID"))
	if uidErr == nil && gidErr == nil && uid > 0 {
		return account{change: true, uid: uid, gid: gid}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid > 0 {
			return account{change: true, uid: uid, gid: gid}, nil
		}
	}
	return account{}, errors.New("root cannot run Postgres and there is neither a user postgres nor nobody: start the local stack as an ordinary user")
}

// grantSearch lets a process that loses root's identity still pass through folders closed to its user,
// such as a checkout below /root. It needs no more than CAP_DAC_READ_SEARCH; some containers have only
// CAP_DAC_OVERRIDE. The server's superuser can read files with it, as root, who alone knows his password,
// can anyway. With neither, the service itself reports the folder that it may not enter.
func grantSearch(attr *syscall.SysProcAttr) {
	permitted := permittedCapabilities()
	for _, c := range []uintptr{capDacReadSearch, capDacOverride} {
		if permitted&(1<<c) != 0 {
			attr.AmbientCaps = []uintptr{c}
			return
		}
	}
}

// permittedCapabilities returns this process's permitted set, from proc(5)'s status file.
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
