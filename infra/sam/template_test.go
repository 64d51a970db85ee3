// Package sam_test holds the template to the configuration of the functions that it deploys.
package sam_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
	"github.com/eragon-mdi/ksu/localstack/template"
	"github.com/eragon-mdi/ksu/shared/config"
)

// values are parameters as the template takes them.
func values(parameters map[string]string) map[string]spec.Value {
	all := map[string]spec.Value{}
	for name, text := range parameters {
		all[name] = spec.Value{Text: text}
	}
	return all
}

// TestTemplateTakesKeys checks that a key which the template hands to functions fills one of its parameters: a
// configuration file could not set it otherwise.
func TestTemplateTakesKeys(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := parsed.Resolve(template.Options{Parameters: values(map[string]string{"DatabaseUrl": "postgres://h/d"})})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range resolved.Functions {
		_, given, err := config.Given(func(name string) string { return f.Environment[name] }, nil)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for _, s := range given {
			if config.Parameters[s.Key] == "" && !slices.Contains([]string{"task.queue_url", "storage.role", "storage.roles"}, s.Key) {
				t.Errorf("the template gives %s a value for %s; a parameter of config.Parameters must stand behind it", f.Name, s.Key)
			}
		}
	}
	for key, name := range config.Parameters {
		if !slices.ContainsFunc(parsed.Parameters, func(p template.Parameter) bool { return p.Name == name }) {
			t.Errorf("the template has no parameter %s for %s", name, key)
		}
	}
}

// TestTemplateTakesDefaults checks that the parameters take the values of a file that began as a copy of defaults.yaml.
func TestTemplateTakesDefaults(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, given, err := config.Given(func(name string) string {
		return map[string]string{config.FileVariable: "../../shared/config/defaults.yaml"}[name]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{"DatabaseUrl": "postgres://h/d"}
	for _, s := range given {
		if name := config.Parameters[s.Key]; name != "" {
			parameters[name] = s.Value
		}
	}
	if parameters["StoragePath"], err = filepath.Abs(parameters["StoragePath"]); err != nil { // as params makes it
		t.Fatal(err)
	}
	if _, err := parsed.Resolve(template.Options{Parameters: values(parameters)}); err != nil {
		t.Error(err)
	}
}

// TestDatabasesOfTheTemplate checks that what a deployment's parameters give the functions is a configuration.
func TestDatabasesOfTheTemplate(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("template.yaml")
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
		resolved, err := parsed.Resolve(template.Options{Parameters: values(test.parameters)})
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
			want.Type, want.Port, want.Name, want.Path, want.NeedMigrate, want.Pooler = got.Type, 5432, "ksu", got.Path, true, "auto"
			want.Role, want.Roles = got.Role, got.Roles
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
		if _, err := parsed.Resolve(template.Options{Parameters: values(wrong)}); err == nil || !strings.Contains(err.Error(), "Rule ") {
			t.Errorf("%v: %v; want a rule that refuses it", wrong, err)
		}
	}
}

// TestMigrationRefuses checks that a deployment whose workers could not do their work fails at its migration, which gets
// the parameters that CloudFormation cannot check together, and is called when they change.
func TestMigrationRefuses(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		parameters map[string]string
		want       string
	}{
		{map[string]string{"JobMaxDuration": "15m"}, "job.max_duration"},
		{map[string]string{"JobMinDuration": "15m", "JobMaxDuration": "16m"}, "job.min_duration"},
		{map[string]string{"JobMinDuration": "10s", "JobMaxDuration": "2s"}, "job.max_duration"},
		{map[string]string{"WorkerTimeout": "319"}, "app.worker_timeout"},
		{map[string]string{"JobsPerInvocation": "4", "WorkerConcurrency": "5"}, "app.worker_concurrency"},
		{map[string]string{"JobsPerInvocation": "4", "WorkerConcurrency": "4", "Semaphore": "15"}, "app.worker_concurrency"},
	} {
		test.parameters["DatabaseUrl"] = "postgres://h/d"
		resolved, err := parsed.Resolve(template.Options{Parameters: values(test.parameters)})
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
