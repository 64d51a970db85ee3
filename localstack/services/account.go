package services

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// account is the user that a service runs as. The zero value is the user of this process.
type account struct {
	change   bool
	uid, gid int
}

// serviceAccount returns the account for the service whose data is (or will be) in the folder data. An
// ordinary user runs services as himself. Root does not, as servers such as Postgres refuse to run as
// root: then it is whoever owns the data already, else who called sudo, else an unprivileged user.
func serviceAccount(data string) (account, error) {
	owner, exists, err := ownerOf(data)
	if err != nil {
		return account{}, err
	}
	if os.Geteuid() != 0 {
		if exists && owner.uid != os.Geteuid() {
			return account{}, fmt.Errorf("%s belongs to the user with id %d and you are %d: use another data folder, or remove that one",
				data, owner.uid, os.Geteuid())
		}
		return account{}, nil
	}
	if exists && owner.uid != 0 {
		return owner, nil
	}
	return unprivilegedAccount()
}

// ownerOf returns the owner of a file, and whether it exists for us at all.
func ownerOf(path string) (account, bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return account{}, false, nil
	case errors.Is(err, fs.ErrPermission):
		return account{}, false, fmt.Errorf("the folder of %s is closed to you, it may belong to root after a run as root: use another data folder, or remove that one", path)
	case err != nil:
		return account{}, false, fmt.Errorf("look at the data folder: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return account{change: true, uid: int(stat.Uid), gid: int(stat.Gid)}, true, nil
}

// own gives a file to the account.
func (a account) own(path string) error {
	if !a.change {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give the file to the service's user: %w", err)
	}
	return nil
}

// apply makes cmd run as the account, able to reach the folder path wherever that lies.
func (a account) apply(cmd *exec.Cmd, path string) {
	if !a.change {
		return
	}
	cmd.Dir = "/" // the present folder may be closed to the account
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	if !a.reaches(path) {
		grantSearch(cmd.SysProcAttr)
	}
}

// reaches reports whether the account may search every folder above path by its permission bits.
func (a account) reaches(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		stat := info.Sys().(*syscall.Stat_t)
		search := fs.FileMode(0o001)
		switch {
		case int(stat.Uid) == a.uid:
			search = 0o100
		case int(stat.Gid) == a.gid:
			search = 0o010
		}
		if info.Mode()&search == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
