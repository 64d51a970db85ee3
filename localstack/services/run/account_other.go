//go:build !linux

package run

import (
	"errors"
	"syscall"
)

// unprivilegedAccount fails: only Linux can let another user pass through a checkout of root's.
func unprivilegedAccount() (Account, error) {
	return Account{}, errors.New("root cannot run a server: start the local stack as an ordinary user")
}

func grantSearch(*syscall.SysProcAttr) {}
