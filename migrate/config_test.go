package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/eragon-mdi/ksu/shared/config"
	"github.com/eragon-mdi/ksu/shared/testserver"
)

// from returns the database of the configuration in a file.
func from(t *testing.T, file string) targets {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(config.FileVariable, path)
	found, err := configured()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func command(t *testing.T, found targets, name string) string {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), []string{name}, found, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNeedMigrate(t *testing.T) { // not parallel: it sets variables
	url := testserver.EmptyPostgres(t)
	t.Setenv("DATABASE_URL", url)
	found := from(t, "storage: {need_migrate: false}\n")
	if got := command(t, found, "up"); got != leftAlone+"\n" {
		t.Errorf("up prints %q", got)
	}
	if answer := ask(t, resource{found}.handle, "Custom::Migration", "Create"); answer.Status != "SUCCESS" || answer.Data.Version != 0 {
		t.Errorf("the custom resource answers %+v", answer)
	}
	if version, err := onPostgres(t, url).Version(t.Context()); err != nil || version != 0 {
		t.Errorf("the schema has version %d, %v; want none", version, err)
	}
	found = from(t, "storage: {need_migrate: true}\n")
	if got := command(t, found, "up"); !strings.HasPrefix(got, "schema version ") {
		t.Errorf("up prints %q", got)
	}
}

func TestMigrateSource(t *testing.T) { // not parallel: it sets variables
	folder := t.TempDir()
	for name, sql := range map[string]string{
		"2_one.up.sql": "CREATE TABLE one ()", "2_one.down.sql": "DROP TABLE one",
		"10_two.up.sql": "ALTER TABLE one RENAME TO two", "10_two.down.sql": "ALTER TABLE two RENAME TO one",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(sql), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url := testserver.EmptyPostgres(t)
	t.Setenv("DATABASE_URL", url)
	if got, want := command(t, from(t, "storage: {migaret_src: 'file://"+folder+"'}\n"), "up"), "schema version 10 (this build has 10)\n"; got != want {
		t.Errorf("up prints %q; want %q", got, want)
	}
	t.Setenv("DATABASE_URL", testserver.EmptyPostgres(t))
	found := from(t, "storage: {migrate_src: 'file://"+folder+"/none'}\n")
	if got, want := command(t, found, "up"), "schema version "; !strings.HasPrefix(got, want) || found.tasks.Latest() != latest(t) {
		t.Errorf("without the folder, up prints %q", got)
	}
}

// TestBadConfigurationIsAnswered checks that a bad configuration fails a deployment at once.
func TestBadConfigurationIsAnswered(t *testing.T) { // not parallel: it sets variables
	t.Setenv("DATABASE_URL", "postgres://u:geheim@h/d")
	for variable, c := range map[string]struct{ value, want string }{
		"STORAGE_PORT":        {"x", "storage.port"},
		"JOB_MAX_DURATION":    {"15m", "app.worker_timeout (900 s, default)"},
		"STORAGE_MIGRATE_SRC": {"file://" + t.TempDir(), "storage.migrate_src: folder "},
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, c.value)
			for _, id := range []string{tasksID, logsID} {
				kind := map[string]string{tasksID: "Custom::Migration", logsID: logsType}[id]
				answer := ask(t, handle, kind, string(cfn.RequestUpdate))
				if answer.Status != "FAILED" || !strings.Contains(answer.Reason, c.want) || strings.Contains(answer.Reason, "geheim") || answer.PhysicalResourceID != id {
					t.Errorf("answer is %+v; want %s", answer, c.want)
				}
			}
			if answer := ask(t, handle, "Custom::Migration", string(cfn.RequestDelete)); answer.Status != "SUCCESS" {
				t.Errorf("the answer to Delete is %+v", answer)
			}
		})
	}
}
