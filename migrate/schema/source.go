package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"

	"github.com/eragon-mdi/ksu/migrate/postgres"
)

// source returns the folder of migrations at a file:// URL, or this build's migrations for "". If the folder does not
// exist, source warns and returns this build's too: existing configurations name a folder of another image.
func source(address string) (fs.FS, error) {
	if address == "" {
		return postgres.Files, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "file" {
		return nil, fmt.Errorf("%q is not a URL such as file:///folder", address)
	}
	folder := u.Host + u.Path // file://folder is relative, as in golang-migrate
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		slog.Warn("no folder " + folder + " (storage.migrate_src): running the embedded migrations")
		return postgres.Files, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a folder", folder)
	}
	files := os.DirFS(folder)
	if _, err := versions(files); err != nil {
		return nil, fmt.Errorf("folder %s: %w", folder, err)
	}
	return files, nil
}
