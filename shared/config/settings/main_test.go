package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/template"
	"github.com/eragon-mdi/ksu/shared/config"
)

// TestTemplateTakesKeys checks that a key which the template hands to functions fills one of its parameters: the local
// stack could not hand on what a file says otherwise.
func TestTemplateTakesKeys(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("../../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := parsed.Resolve(template.Options{Parameters: map[string]string{"DatabaseUrl": "postgres://h/d"}})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, k := range config.Keys() {
		known[k.Name] = true
		for _, f := range resolved.Functions {
			for _, variable := range k.Variables {
				_, set := f.Environment[variable]
				if set && parsed.Configuration.Parameters[k.Name] == "" && k.Name != "task.queue_url" {
					t.Errorf("the template sets %s of %s; in its Metadata, %s must fill the parameter behind it", variable, f.LogicalID, k.Name)
				}
			}
		}
	}
	for key := range parsed.Configuration.Parameters {
		if !known[key] {
			t.Errorf("the template's Metadata has a key %s, which does not exist", key)
		}
	}
}

// TestTemplateTakesDefaults checks that the parameters take what a file says that began as a copy of defaults.yaml.
func TestTemplateTakesDefaults(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("../../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings, _, err := config.Settings(func(name string) string {
		return map[string]string{config.FileVariable: "../defaults.yaml"}[name]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{"DatabaseUrl": "postgres://h/d"}
	for _, s := range settings {
		if parameter := parsed.Configuration.Parameters[s.Key]; parameter != "" && s.Source != "" {
			parameters[parameter] = s.Value
		}
	}
	if _, err := parsed.Resolve(template.Options{Parameters: parameters}); err != nil {
		t.Error(err)
	}
}

// TestDatabasesOfTheTemplate checks that what a deployment's parameters give the functions is a configuration.
func TestDatabasesOfTheTemplate(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("../../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:secretsmanager:eu-west-1:1:secret:x"
	for _, test := range []struct {
		parameters map[string]string
		want       config.Storage
	}{
		{map[string]string{"DatabaseUrl": "postgres://u@h/d"}, config.Storage{DatabaseURL: "postgres://u@h/d", Auth: "password", SSLMode: "prefer"}},
		{map[string]string{"DatabaseSecretArn": arn, "DatabaseHost": "h"}, config.Storage{SecretARN: arn, Host: "h", Auth: "password", SSLMode: "require"}},
		{map[string]string{"DatabaseUser": "app", "DatabaseHost": "h", "DatabaseSslMode": "verify-full"},
			config.Storage{User: "app", Host: "h", Auth: "iam", SSLMode: "verify-full"}},
	} {
		resolved, err := parsed.Resolve(template.Options{Parameters: test.parameters})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range resolved.Functions {
			cfg, err := config.Read(func(name string) string { return f.Environment[name] })
			if err != nil {
				t.Errorf("%v: %s: %v", test.parameters, f.LogicalID, err)
				continue
			}
			got, want := cfg.Storage, test.want
			want.Type, want.Port, want.Name, want.Path, want.NeedMigrate = got.Type, 5432, "ksu", got.Path, true
			if want.User == "" {
				want.User = "ksu"
			}
			if got != want {
				t.Errorf("%v: %s has the storage %+v; want %+v", test.parameters, f.LogicalID, got, want)
			}
		}
	}
	for _, wrong := range []map[string]string{
		{"DatabaseUser": "app"}, {"DatabaseUser": "app", "DatabaseHost": "h", "DatabaseSecretArn": arn},
		{"DatabaseUser": "app", "DatabaseHost": "h", "DatabaseUrl": "postgres://h/d"}, {"DatabaseUrl": "postgres://h/d", "DatabaseHost": "h"},
	} {
		if _, err := parsed.Resolve(template.Options{Parameters: wrong}); err == nil || !strings.Contains(err.Error(), "Rule ") {
			t.Errorf("%v: %v; want a rule that refuses it", wrong, err)
		}
	}
}

// TestMigrationRefuses checks that a deployment whose workers could not do their work fails at its migration, which gets
// the parameters that CloudFormation cannot check together, and is called when they change.
func TestMigrationRefuses(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("../../../infra/sam/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		parameters map[string]string
		want       string
	}{
		{map[string]string{"JobMaxDuration": "10m"}, "job.max_duration"},
		{map[string]string{"JobMinDuration": "10m", "JobMaxDuration": "11m"}, "job.min_duration"},
		{map[string]string{"JobMinDuration": "10s", "JobMaxDuration": "2s"}, "job.max_duration"},
		{map[string]string{"WorkerTimeout": "319"}, "app.worker_timeout"},
		{map[string]string{"JobsPerInvocation": "4", "WorkerConcurrency": "5"}, "app.worker_concurrency"},
		{map[string]string{"JobsPerInvocation": "4", "WorkerConcurrency": "4", "Semaphore": "15"}, "app.worker_concurrency"},
	} {
		test.parameters["DatabaseUrl"] = "postgres://h/d"
		resolved, err := parsed.Resolve(template.Options{Parameters: test.parameters})
		if err != nil {
			t.Errorf("%v: %v", test.parameters, err)
			continue
		}
		for _, f := range resolved.Functions {
			if f.LogicalID != "MigrateFunction" && f.LogicalID != "WorkerFunction" {
				continue
			}
			if _, err := config.Read(func(name string) string { return f.Environment[name] }); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: %s has the configuration %v; want an error about %s", test.parameters, f.LogicalID, err, test.want)
			}
		}
		for _, r := range resolved.CustomResources {
			for name, value := range test.parameters {
				if r.LogicalID == "Migration" && name != "DatabaseUrl" && r.Properties[name] != value {
					t.Errorf("%s has the property %s %v; want %v, at whose changes it is called", r.LogicalID, name, r.Properties[name], value)
				}
			}
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("storage: {migaret_src: 'file:///m'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{path}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Settings []config.Setting
		Warnings []string
	}
	if err := json.Unmarshal([]byte(out.String()), &printed); err != nil || len(printed.Warnings) != 1 {
		t.Fatalf("%v: %s", err, out.String())
	}
	for _, s := range printed.Settings {
		if s.Key == "storage.migrate_src" && s.Value == "file:///m" && s.Source == path+":1" {
			return
		}
	}
	t.Errorf("storage.migrate_src is not in %s", out.String())
}

// TestParameters are checked as the configuration is, together with it, and win over it.
func TestParameters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("job: {max_duration: 1m, failure_rate: 0.5}\nstorage: {port: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const wrong = `[{"key":"job.failure_rate","value":"7","source":"parameter JobFailureRate"},
		{"key":"storage.database_url","value":"geheim","source":"parameter DatabaseUrl"},
		{"key":"job.max_durations","value":"1m","source":"parameter Maximum"}]`
	err := run([]string{path}, strings.NewReader(wrong), io.Discard)
	want := path + `:2: storage.port is "x"; allowed are whole numbers from 1 to 65535
parameter JobFailureRate: job.failure_rate is "7"; allowed are numbers from 0 to 1
parameter DatabaseUrl: storage.database_url is [secret]; allowed are URLs that begin with postgres:// or postgresql://
parameter Maximum: job.max_durations is unknown; did you mean job.max_duration?`
	if err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	if err := os.WriteFile(path, []byte("job: {min_duration: 1m, max_duration: 2m}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = run([]string{path}, strings.NewReader(`[{"key":"job.max_duration","value":"2s","source":"parameter JobMaxDuration"}]`), io.Discard)
	want = `parameter JobMaxDuration: job.max_duration is "2s"; allowed are durations from job.min_duration (1m0s, ` + path + `:1)`
	if err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	// Empty is the default, as the function has it, and not what the file says.
	var out strings.Builder
	if err := run([]string{path}, strings.NewReader(`[{"key":"job.max_duration","value":"","source":"parameter JobMaxDuration"}]`), &out); err != nil {
		t.Fatal(err)
	}
	if want := `"value":"5m0s","source":""`; !strings.Contains(out.String(), want) {
		t.Errorf("job.max_duration is not %s in %s", want, out.String())
	}
	if err := run(nil, strings.NewReader("7"), io.Discard); err == nil {
		t.Error("settings that are no list are taken")
	}
}
