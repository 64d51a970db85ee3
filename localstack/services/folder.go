package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// anotherFolder is what helps where something is wrong with a folder.
const anotherFolder = "choose another data folder with --data (make run DATA=…)"

// folder is a service's own folder. The caller sees to it that no other local stack has it.
type folder struct {
	path string
}

// openFolder creates the folder if it is missing, gives it to the account and closes it to everybody else.
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
	return &folder{path}, nil
}

// file returns the path of a file in the folder.
func (f *folder) file(name string) string { return filepath.Join(f.path, name) }
