package stack

import (
	"fmt"
	"os"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// unseen says which tasks a start leaves out of sight, one sentence each: those of a database that is configured and not
// used, and, where the user left the choice of the storage to the local stack, those that earlier runs left in the data
// folder. It also says what brings them back.
func (s *stack) unseen(kind, why string) ([]string, error) {
	var list []string
	named := s.postgresStorage()
	if _, overridden := s.options.Parameters[databaseParameter]; kind == "internal" && !named.start && !overridden {
		list = append(list, fmt.Sprintf("%s, is not used: the storage is internal, %s; %s uses it", named.what, why, s.choosing("postgres")))
	}
	if !s.choosesStorage() || !s.declares(storageTypeParameter) {
		return list, nil
	}
	file, err := s.internalFile()
	if err != nil {
		return nil, err
	}
	dir, err := s.options.dataPath(postgresFolder)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(file); kind == "postgres" && err == nil && info.Size() > 0 {
		list = append(list, fmt.Sprintf("tasks in %s are not seen: the storage is Postgres, %s; %s brings them back", file, why, s.choosing("internal")))
	}
	if postgres.HasData(dir) {
		switch {
		case kind == "internal":
			list = append(list, fmt.Sprintf("tasks in %s are not seen: the storage is internal, %s; %s brings them back, once there is a Postgres", dir, why, s.choosing("postgres")))
		case !named.start:
			list = append(list, fmt.Sprintf("tasks in %s are not seen: the storage is %s; without that, they are back", dir, named.what))
		}
	}
	return list, nil
}

// choosesStorage reports whether the storage is the local stack's choice.
func (s *stack) choosesStorage() bool {
	_, given := s.options.Parameters[storageTypeParameter]
	return !given && (s.options.Storage == "" || s.options.Storage == "auto")
}

// choosing is what a user says to have a storage, above what he says now.
func (s *stack) choosing(kind string) string {
	if _, given := s.options.Parameters[storageTypeParameter]; given {
		return "the parameter " + storageTypeParameter + "=" + kind
	}
	return fmt.Sprintf("--storage %[1]s (make run STORAGE=%[1]s)", kind)
}
