package stack

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/services/postgres"
)

// storable is a template that leaves the choice of its storage to the local stack.
const storable = `
Transform: AWS::Serverless-2016-10-31
Metadata:
  LocalStack:
    Configuration:
      Reader: reader
      Parameters: {storage.database_url: DatabaseUrl, storage.type: StorageType, storage.path: StoragePath}
Parameters:
  StorageType: {Type: String, Default: postgres}
  StoragePath: {Type: String, Default: ""}
  DatabaseUrl: {Type: String, Default: ""}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Runtime: provided.al2023, Handler: bootstrap}
`

func TestStorage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	file := filepath.Join(data, "ksu.db")
	const there, none = "/usr/bin", ""
	private := map[string]string{"StorageType": "postgres", "DatabaseUrl": "postgres://127.0.0.1"}
	internal := map[string]string{"StorageType": "internal", "StoragePath": file, "DatabaseUrl": ""}
	configured := func(key, value string) setting { return setting{Key: key, Value: value, Source: "config.yaml:1"} }
	url := configured("storage.database_url", "postgres://u:geheim@configured/d")
	known := map[string]string{"StorageType": "postgres", "DatabaseUrl": url.Value}
	for name, test := range map[string]struct {
		options   Options
		settings  []setting
		postgres  string // there or none
		want      map[string]string
		start     bool
		what, why string
	}{
		"auto, installed":        {Options{}, nil, there, private, true, "", "because it is installed"},
		"auto, nothing":          {Options{Storage: "auto"}, nil, none, internal, false, "internal, the file " + file, "because no Postgres is configured"},
		"auto, configured":       {Options{}, []setting{url}, none, known, false, "Postgres of config.yaml:1, postgres://u:xxxxx@configured/d", "because it is configured"},
		"auto, DATABASE_URL":     {Options{DatabaseURL: "postgres://e"}, nil, none, map[string]string{"StorageType": "postgres", "DatabaseUrl": "postgres://e"}, false, "Postgres of DATABASE_URL, postgres://e", "because it is configured"},
		"postgres, nothing":      {Options{Storage: "postgres"}, nil, none, private, true, "", "of --storage"},
		"internal, all there":    {Options{Storage: "internal", DatabaseURL: "postgres://e"}, []setting{url}, there, internal, false, "internal, the file " + file, "of --storage"},
		"internal, another file": {Options{Storage: "internal"}, []setting{configured("storage.path", "/data/x.db")}, there, map[string]string{"StorageType": "internal", "StoragePath": "/data/x.db", "DatabaseUrl": ""}, false, "internal, the file /data/x.db", "of --storage"},
		"overridden":             {Options{Storage: "postgres", Parameters: map[string]string{"StorageType": "internal", "StoragePath": "/x.db"}}, nil, there, map[string]string{"StorageType": "internal", "StoragePath": "/x.db", "DatabaseUrl": ""}, false, "internal, the file /x.db", "of --parameter-overrides"},
		"the URL is overridden":  {Options{Parameters: map[string]string{"DatabaseUrl": "postgres://o"}}, []setting{url}, none, map[string]string{"StorageType": "postgres", "DatabaseUrl": "postgres://o"}, false, "Postgres of parameter DatabaseUrl, postgres://o", "because it is configured"},
	} {
		test.options.Data = data
		s := setupTemplate(t, storable, test.options, test.settings...)
		if test.postgres == none {
			s.findPostgres = func() (string, error) { return "", postgres.ErrNotInstalled }
		}
		if err := s.chooseStorage(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := s.storage
		if !maps.Equal(got.parameters, test.want) || got.start != test.start || got.what != test.what || !strings.HasPrefix(got.why, test.why) {
			t.Errorf("%s: %+v; want %+v", name, got, test)
		}
	}
}

// TestURLThatIsNone is refused before anything is started, by the place where it stands.
func TestURLThatIsNone(t *testing.T) {
	t.Parallel()
	url := setting{Key: "storage.database_url", Value: "postgres://u:geheim@h/d?sslmode=full", Source: "config.yaml:1"}
	err := setupTemplate(t, storable, Options{Data: t.TempDir()}, url).chooseStorage(t.Context())
	if err == nil || !strings.Contains(err.Error(), "Postgres of config.yaml:1, postgres://u:xxxxx@h/d: ") ||
		!strings.Contains(err.Error(), "sslmode is invalid") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("an sslmode that is none: %v", err)
	}
}

// TestStorageOfOtherTemplates is about those that do not offer the choice.
func TestStorageOfOtherTemplates(t *testing.T) {
	t.Parallel()
	nowhere := func() (string, error) { return "", postgres.ErrNotInstalled }
	auto := setup(t, Options{})
	auto.findPostgres = nowhere
	if err := auto.chooseStorage(t.Context()); err != nil || !auto.storage.start || auto.storage.parameters["StorageType"] != "" {
		t.Errorf("a template that knows Postgres alone: %+v, %v", auto.storage, err)
	}
	internal := setup(t, Options{Storage: "internal"})
	if err := internal.chooseStorage(t.Context()); err == nil || !strings.Contains(err.Error(), "has no parameter StorageType") {
		t.Errorf("--storage internal for it: %v", err)
	}
	without := setupTemplate(t, strings.ReplaceAll(storable, "DatabaseUrl", "Another"), Options{Storage: "postgres"})
	if err := without.chooseStorage(t.Context()); err != nil || without.storage.start || without.storage.parameters != nil {
		t.Errorf("a template without DatabaseUrl: %+v, %v", without.storage, err)
	}
}
