package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// folder is a service's own folder, locked against other local stacks.
type folder struct {
	path string
	lock *os.File
}

// openFolder creates the folder if it is missing, gives it to the account, closes it to everybody else and
// locks it. The lock belongs to this process: it ends with close, and with the process however it ends.
func openFolder(path string, a account) (*folder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	if err := a.own(path); err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, fmt.Errorf("close the data folder to other users: %w", err)
	}
	name := filepath.Join(path, "lock")
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := a.own(name); err != nil {
		_ = lock.Close()
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is in use by another local stack: end that one, or use another data folder", path)
		}
		return nil, fmt.Errorf("lock the data folder %s: %w", path, err)
	}
	return &folder{path: path, lock: lock}, nil
}

func (f *folder) close() { _ = f.lock.Close() }

// file returns the path of a file in the folder.
func (f *folder) file(name string) string { return filepath.Join(f.path, name) }
