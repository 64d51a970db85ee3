package provide

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// publish writes the URL of each service in use to a file of the data folder, SERVICE.url, for other programs of the
// user. The URL may hold a password, so the file has mode 0600. publish removes the files of a killed stack, and
// returns a function that removes its own.
func (p *Plan) publish(tools Tools) (remove func() error, err error) {
	var paths []string
	remove = func() error {
		var errs []error
		for _, path := range paths {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("remove the URL of a service: %w", err))
			}
		}
		return errors.Join(errs...)
	}
	for _, s := range p.services {
		paths = append(paths, filepath.Join(tools.Data, s.Service+".url"))
	}
	if err := remove(); err != nil {
		return nil, err
	}
	for i, s := range p.services {
		if s.start == nil {
			continue
		}
		url := s.url(func(name string) string { return s.value(name, tools) })
		if err := os.WriteFile(paths[i], []byte(url+"\n"), 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("write the URL of a service: %w", err), remove())
		}
	}
	return remove, nil
}

// value returns a value of the service as the application sees it.
func (s *service) value(name string, tools Tools) string {
	for parameter, filledWith := range s.Parameters {
		if filledWith == name {
			return tools.Parameter(parameter)
		}
	}
	return ""
}
