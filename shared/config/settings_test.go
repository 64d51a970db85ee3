package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{FileVariable: path, "LOG_LEVEL": "warn"}
	settings, warnings, err := Settings(func(name string) string { return env[name] }, nil)
	if err != nil || len(settings) != len(new(Config).entries()) || len(warnings) != 3 {
		t.Fatalf("%d settings, warnings %q, %v", len(settings), warnings, err)
	}
	got := map[string]Setting{}
	for _, s := range settings {
		got[s.Key] = s
	}
	for key, want := range map[string]Setting{
		"logger.level":         {"logger.level", []string{"LOGGER_LEVEL", "LOG_LEVEL"}, "warn", "environment variable LOG_LEVEL"},
		"server.port":          {"server.port", []string{"SERVER_PORT"}, "8080", ""},
		"storage.database_url": {"storage.database_url", []string{"STORAGE_DATABASE_URL", "DATABASE_URL"}, "postgres://app:123@db:5432/app_db?sslmode=disable", path + ":7"},
		"storage.host":         {"storage.host", []string{"STORAGE_HOST"}, "", ""},
		"storage.migrate_src":  {"storage.migrate_src", []string{"STORAGE_MIGRATE_SRC", "STORAGE_MIGARET_SRC"}, "file:///migrate", path + ":8"},
	} {
		if !reflect.DeepEqual(got[key], want) {
			t.Errorf("%s is %+v; want %+v", key, got[key], want)
		}
	}
	env["DATABASE_SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:1:secret:x"
	if settings, _, err = Settings(func(name string) string { return env[name] }, nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if s.Key == "storage.host" && s.Value != "db" || s.Key == "storage.database_url" && s.Source != "" {
			t.Errorf("with a secret %s is %+v", s.Key, s)
		}
	}
}

func TestSettingsOfPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	env := map[string]string{"STORAGE_PATH": "data/ksu.db", "STORAGE_MIGRATE_SRC": "file://migrations/tasks"}
	settings, _, err := Settings(func(name string) string { return env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"storage.path": dir + "/data/ksu.db", "storage.migrate_src": "file://" + dir + "/migrations/tasks"}
	for _, s := range settings {
		if w, ok := want[s.Key]; ok && s.Value != w {
			t.Errorf("%s is %s; want %s", s.Key, s.Value, w)
		}
	}
}

// TestSettingsOfEmptyValues is about a file that begins as a copy of defaults.yaml.
func TestSettingsOfEmptyValues(t *testing.T) {
	t.Parallel()
	settings, _, err := Settings(func(name string) string { return map[string]string{FileVariable: "defaults.yaml"}[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if (s.Source == "") != (s.Value == "") {
			t.Errorf("%s is %q of %q; want nothing given where the value is empty", s.Key, s.Value, s.Source)
		}
	}
}
