package stack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// The template parameters that the local stack fills in, unless the user gives them, so that the functions know where to
// keep their data. A template without the first gets no storage, and one without the other two has a Postgres always.
const (
	databaseParameter    = "DatabaseUrl"
	storageTypeParameter = "StorageType"
	storagePathParameter = "StoragePath"
)

// What the data folder has of the storages: the file of the internal one, and the private Postgres's folder.
const (
	storageFile    = "ksu.db"
	postgresFolder = "postgres"
)

// storage is where the template's functions keep their data.
type storage struct {
	// parameters are of the template; they win over the configuration. Nil where the template asks for no storage.
	parameters map[string]string
	// address is where a Postgres is that the user named; nil for others.
	address *postgres.Address
	// start says that a private Postgres is to be started, whose URL is still missing.
	start bool
	// what says which storage it is, without passwords, and why.
	what, why string
}

// chooseStorage decides where data is kept, before anything is started.
func (s *stack) chooseStorage(context.Context) error {
	if !s.declares(databaseParameter) {
		return nil
	}
	kind, why := s.storageKind()
	var err error
	if kind == "internal" {
		s.storage, err = s.internalStorage()
	} else {
		s.storage, err = s.reachablePostgres()
	}
	if err != nil {
		return err
	}
	s.storage.why = why
	unseen, err := s.unseen(kind, why)
	for _, warning := range unseen {
		s.console.Step("warning", "%s", warning)
	}
	return err
}

// storageKind is postgres or internal, and the reason for it.
func (s *stack) storageKind() (kind, why string) {
	if kind, ok := s.options.Parameters[storageTypeParameter]; ok {
		return kind, "of --parameter-overrides"
	}
	switch kind := s.options.Storage; kind {
	case "postgres", "internal":
		return kind, "of " + s.storageSource
	}
	if p := s.postgresStorage(); !p.start {
		return "postgres", "because it is configured"
	}
	if _, err := s.findPostgres(); s.declares(storageTypeParameter) && errors.Is(err, postgres.ErrNotInstalled) {
		return "internal", "because no Postgres is configured (DATABASE_URL) or installed"
	}
	return "postgres", "because it is installed"
}

// reachablePostgres is postgresStorage with its address.
func (s *stack) reachablePostgres() (storage, error) {
	p := s.postgresStorage()
	url := p.parameters[databaseParameter]
	if p.start || url == "" {
		return p, nil
	}
	var err error
	if p.address, err = postgres.AddressOf(url); err != nil {
		err = fmt.Errorf("%s: %w", p.what, err)
	}
	return p, err
}

// postgresStorage is the database that the user named, else a private one that is still to be started.
func (s *stack) postgresStorage() storage {
	var url, what string
	found, configured := s.configured(databaseParameter)
	given, overridden := s.options.Parameters[databaseParameter]
	switch {
	case overridden:
		url, what = given, "Postgres of parameter "+databaseParameter+", "+redacted(given)
	case configured:
		url, what = found.Value, "Postgres of "+found.Source+", "+redacted(found.Value)
	case s.options.DatabaseURL != "":
		url, what = s.options.DatabaseURL, "Postgres of DATABASE_URL, "+redacted(s.options.DatabaseURL)
	default:
		p := s.onPostgres("postgres://127.0.0.1") // stands for the true one where the template is only checked
		p.start = true
		return p
	}
	p := s.onPostgres(url)
	p.what = what
	return p
}

func (s *stack) onPostgres(url string) storage {
	parameters := map[string]string{databaseParameter: url}
	if s.declares(storageTypeParameter) {
		parameters[storageTypeParameter] = "postgres"
	}
	return storage{parameters: parameters}
}

// internalStorage is a file that the functions themselves know how to use.
func (s *stack) internalStorage() (storage, error) {
	for _, name := range []string{storageTypeParameter, storagePathParameter} {
		if !s.declares(name) {
			return storage{}, fmt.Errorf("--storage internal: template %s has no parameter %s", s.options.Template, name)
		}
	}
	path, err := s.internalFile()
	if err != nil {
		return storage{}, err
	}
	return storage{what: "internal, the file " + path, parameters: map[string]string{
		storageTypeParameter: "internal", storagePathParameter: path, databaseParameter: "",
	}}, nil
}

// internalFile is the path of the internal storage.
func (s *stack) internalFile() (string, error) {
	path, err := s.options.dataPath(storageFile)
	if found, ok := s.configured(storagePathParameter); ok {
		path, err = filepath.Abs(found.Value)
	}
	if given, ok := s.options.Parameters[storagePathParameter]; ok {
		path = given
	}
	if err != nil {
		return "", fmt.Errorf("the file of the internal storage: %w", err)
	}
	return path, nil
}

// checkStorage says what is wrong with a choice of the storage; where says where it stands.
func checkStorage(where, storage string) error {
	switch storage {
	case "", "auto", "postgres", "internal":
		return nil
	}
	return fmt.Errorf("%s is %q; allowed are auto, postgres, internal", where, storage)
}
