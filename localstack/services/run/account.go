package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Account is the user that a server runs as. The zero value is the user of this process.
type Account struct {
	change   bool
	uid, gid int
}

// AccountFor returns the account for the server whose data is (or will be) in the folder data. An ordinary user runs
// servers as himself. Root does not, as servers such as Postgres refuse to run as root. For root, the account is the
// owner of existing data, else the user who called sudo, else an unprivileged user.
func AccountFor(data string) (Account, error) {
	owner, exists, err := ownerOf(data)
	if err != nil {
		return Account{}, err
	}
	if os.Geteuid() != 0 {
		if exists && owner.uid != os.Geteuid() {
			return Account{}, fmt.Errorf("%s belongs to the user with id %d and you are %d: use another data folder, or remove that one",
				data, owner.uid, os.Geteuid())
		}
		return Account{}, nil
	}
	if exists && owner.uid != 0 {
		return owner, nil
	}
	return unprivilegedAccount()
}

// ownerOf returns the owner of a file, and whether the file exists.
func ownerOf(path string) (Account, bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Account{}, false, nil
	case errors.Is(err, fs.ErrPermission):
		return Account{}, false, fmt.Errorf("the folder of %s is closed to you, it may belong to root after a run as root: use another data folder, or remove that one", path)
	case err != nil:
		return Account{}, false, fmt.Errorf("look at the data folder: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return Account{change: true, uid: int(stat.Uid), gid: int(stat.Gid)}, true, nil
}

// Own gives a file to the account.
func (a Account) Own(path string) error {
	if !a.change {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give the file to the server's user: %w", err)
	}
	return nil
}

// Apply makes cmd run as the account. The process can reach the folder path, even below a folder of root's.
func (a Account) Apply(cmd *exec.Cmd, path string) {
	if !a.change {
		return
	}
	cmd.Dir = "/" // the present folder may be closed to the account
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	if !a.reaches(path) {
		grantSearch(cmd.SysProcAttr)
	}
}

// reaches reports whether the permission bits let the account search every folder above path.
func (a Account) reaches(path string) bool {
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
