package stack

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// TestUnseen: what a choice of the storage leaves out of sight is said in one line, with what brings it back, and what the
// user chose himself is not.
func TestUnseen(t *testing.T) {
	t.Parallel()
	url := setting{Key: "storage.database_url", Value: "postgres://u:geheim@h/d", Source: "environment variable DATABASE_URL"}
	data := t.TempDir() // with a file of the internal storage, and data of a Postgres
	file, folder := filepath.Join(data, "ksu.db"), filepath.Join(data, "postgres")
	if err := os.WriteFile(file, []byte("tasks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	const toInternal, toPostgres = "--storage internal (make run STORAGE=internal)", "--storage postgres (make run STORAGE=postgres)"
	unused := func(why, instead string) string {
		return "Postgres of environment variable DATABASE_URL, postgres://u:xxxxx@h/d, is not used: the storage is internal, " + why + "; " + instead + " uses it"
	}
	fileUnseen := func(why string) string {
		return "tasks in " + file + " are not seen: the storage is Postgres, " + why + "; " + toInternal + " brings them back"
	}
	for name, test := range map[string]struct {
		options  Options
		settings []setting
		nothing  bool // no Postgres is installed
		data     string
		want     []string
	}{
		"nothing there":         {Options{}, nil, false, t.TempDir(), nil},
		"chosen, nothing there": {Options{Storage: "internal"}, nil, false, t.TempDir(), nil},
		"chosen, data of both":  {Options{Storage: "postgres"}, nil, false, data, nil},
		"chosen, and a URL":     {Options{Storage: "postgres"}, []setting{url}, false, data, nil},
		"a URL beside internal": {Options{Storage: "internal"}, []setting{url}, false, data, []string{unused("of --storage", toPostgres)}},
		"a URL beside StorageType": {Options{Parameters: map[string]string{"StorageType": "internal", "StoragePath": "/x"}}, []setting{url}, false, data,
			[]string{unused("of --parameter-overrides", "the parameter StorageType=postgres")}},
		"Postgres was installed": {Options{}, nil, false, data, []string{fileUnseen("because it is installed")}},
		"Postgres is gone": {Options{Storage: "auto"}, nil, true, data, []string{"tasks in " + folder + " are not seen: the storage is internal, " +
			"because no Postgres is configured (DATABASE_URL) or installed; " + toPostgres + " brings them back, once there is a Postgres"}},
		"another Postgres": {Options{}, []setting{url}, false, data, []string{fileUnseen("because it is configured"),
			"tasks in " + folder + " are not seen: the storage is Postgres of environment variable DATABASE_URL, postgres://u:xxxxx@h/d; without that, they are back"}},
	} {
		test.options.Data = test.data
		s := setupTemplate(t, storable, test.options, test.settings...)
		var out bytes.Buffer
		s.console = console.New(&out, console.Options{})
		if test.nothing {
			s.findPostgres = func() (string, error) { return "", postgres.ErrNotInstalled }
		}
		if err := s.chooseStorage(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var want strings.Builder
		for _, line := range test.want {
			want.WriteString("warning    │ " + line + "\n")
		}
		if out.String() != want.String() {
			t.Errorf("%s: the output is %s; want %s", name, out.String(), want.String())
		}
	}
}
