//go:build !linux

package services

import (
	"errors"
	"syscall"
)

// unprivilegedAccount refuses: only Linux can let another user pass through a checkout that is root's.
func unprivilegedAccount() (account, error) {
	return account{}, errors.New("root cannot run Postgres: start the local stack as an ordinary user")
}

func grantSearch(*syscall.SysProcAttr) {}
