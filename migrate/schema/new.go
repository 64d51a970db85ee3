package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var validName = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// New writes an empty pair of migration files with the next number into dir and returns their paths, up first.
func New(dir, name string) ([]string, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("migration name %q: allowed are lower-case letters, digits and single underscores, such as add_priority", name)
	}
	list, err := versions(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	base := filepath.Join(dir, fmt.Sprintf("%06d_%s", list[len(list)-1]+1, name))
	pair := []string{base + ".up.sql", base + ".down.sql"}
	text := []string{
		"-- Runs as one transaction and must be repeatable (IF NOT EXISTS and the like).\n",
		"-- Takes back the .up.sql of this number.\n",
	}
	for i, path := range pair {
		if err := create(path, text[i]); err != nil {
			return nil, err
		}
	}
	return pair, nil
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
