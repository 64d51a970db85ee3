package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// AnotherFolder is advice for error messages about a folder that cannot be used.
const AnotherFolder = "choose another data folder with --data"

// Folder is the own folder of a server. The zero value is not usable; see OpenFolder.
type Folder struct {
	path string
}

// OpenFolder creates the folder if it is missing, gives it to the account and closes it to everybody else (0700).
// The caller ensures that no other local stack uses it.
func OpenFolder(path string, a Account) (*Folder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	if err := a.Own(path); err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, fmt.Errorf("close the data folder to other users: %w", err)
	}
	return &Folder{path}, nil
}

// Path returns the path of the folder.
func (f *Folder) Path() string { return f.path }

// File returns the path of a file in the folder.
func (f *Folder) File(name string) string { return filepath.Join(f.path, name) }
