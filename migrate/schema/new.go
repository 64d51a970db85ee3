package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// kinds are the folders of migrations.
var kinds = []string{"postgres", "sqlite"}

var validName = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// New writes an empty pair of migration files with the next number into each kind's folder below root, and returns
// their paths, up before down.
func New(root, name string) ([]string, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("migration name %q: allowed are lower-case letters, digits and single underscores, such as add_priority", name)
	}
	next := uint(0)
	for _, kind := range kinds {
		dir := filepath.Join(root, kind)
		list, err := versions(os.DirFS(dir))
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", dir, err)
		}
		next = max(next, list[len(list)-1]+1)
	}
	var paths []string
	for _, kind := range kinds {
		base := filepath.Join(root, kind, fmt.Sprintf("%06d_%s", next, name))
		for _, file := range []struct{ path, text string }{
			{base + ".up.sql", "-- Runs as one transaction and must be repeatable (IF NOT EXISTS and the like).\n"},
			{base + ".down.sql", "-- Reverts the .up.sql of this number.\n"},
		} {
			if err := create(file.path, file.text); err != nil {
				return nil, err
			}
			paths = append(paths, file.path)
		}
	}
	return paths, nil
}

func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write migration: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write migration: %w", err)
	}
	return nil
}
