package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// table is the table of all keys in README.md.
func table() string {
	var b strings.Builder
	b.WriteString("| key | variable | template parameter | default | meaning |\n|---|---|---|---|---|\n")
	entries := new(Config).entries()
	for i := range entries {
		e := &entries[i]
		variables := append([]string{variable(e.name)}, e.env...)
		b.WriteString("| " + code(e.name) + " | `" + strings.Join(variables, "`, `") + "` | " + code(Parameters[e.name]) +
			" | " + code(e.def) + " | " + e.meaning + " |\n")
	}
	return b.String()
}

func code(text string) string {
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}

// TestTable keeps the table of README.md up to date.
func TestTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(home, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| key | variable |"
	before, rest, _ := strings.Cut(string(readme), head)
	old, after, _ := strings.Cut(head+rest, "\n\n")
	if old+"\n" == table() {
		return
	}
	if !*update {
		t.Fatalf("README.md, which -update writes, has another table of keys than\n%s", table())
	}
	if err := os.WriteFile(path, []byte(before+table()+"\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDefaultsFile checks the file of defaults against the table.
func TestDefaultsFile(t *testing.T) {
	defaults, err := os.ReadFile(filepath.Join(home, "defaults.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Read(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t, string(defaults))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults.yaml is %+v, the table %+v", got, want)
	}
	var file map[string]map[string]any
	if err := yaml.Unmarshal(defaults, &file); err != nil {
		t.Fatal(err)
	}
	for _, e := range new(Config).entries() {
		section, key, _ := strings.Cut(e.name, ".")
		if _, ok := file[section][key]; !ok {
			t.Errorf("defaults.yaml lacks %s", e.name)
		}
	}
}

// TestParametersAreOfKeys checks that every key of Parameters exists.
func TestParametersAreOfKeys(t *testing.T) {
	t.Parallel()
	l := &loader{entries: new(Config).entries()}
	for key := range Parameters {
		if e := l.entry(key); e == nil || e.name != key {
			t.Errorf("there is no key %s", key)
		}
	}
}
