package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData locks the data folder for this process before anything is written to it. It creates a missing folder closed to
// other users; an existing folder keeps its mode. The kernel releases the lock when the process ends.
func (s *stack) lockData(context.Context) error {
	path, err := s.options.dataPath("lock")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("the data folder %s is in use by another local stack; end that one or choose another folder with --data (make run DATA=…)", dir)
		}
		return fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	s.onStop(func(context.Context) error { return lock.Close() })
	return nil
}
