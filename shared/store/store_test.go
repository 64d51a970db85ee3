package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/store"
	"github.com/eragon-mdi/ksu/shared/store/postgres"
	"github.com/eragon-mdi/ksu/shared/store/sqlite"
	"github.com/eragon-mdi/ksu/shared/task"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ksu.db")
	testserver.SQLite(t, path)
	for name, test := range map[string]struct {
		cfg config.Storage
		is  func(task.Store) bool
	}{
		"postgres": {config.Storage{Type: "postgres", DatabaseURL: config.Secret(testserver.Postgres(t))},
			func(s task.Store) bool { _, ok := s.(*postgres.Store); return ok }},
		"internal": {config.Storage{Type: "internal", Path: path},
			func(s task.Store) bool { _, ok := s.(*sqlite.Store); return ok }},
	} {
		s, err := store.Open(t.Context(), test.cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := s.List(t.Context(), task.Page{}); err != nil || !test.is(s) {
			t.Errorf("%s is a %T, whose List fails with %v", name, s, err)
		}
		s.Close()
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, want string }{
		{"", `storage.type is ""; allowed are postgres, internal`},
		{"mysql", `storage.type is "mysql"; allowed are postgres, internal`},
		{"postgres", "open the store: DATABASE_URL is not set"},
		{"internal", "open the store: STORAGE_PATH is not set"},
	} {
		s, err := store.Open(t.Context(), config.Storage{Type: test.kind})
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Open(%q) = %v, %v; want %s", test.kind, s, err, test.want)
		}
	}
}
