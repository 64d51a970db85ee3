package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ksu/localstack/template"
	"ksu/shared/config"
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

func TestRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("storage: {migaret_src: 'file:///m'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{path}, &out); err != nil {
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
