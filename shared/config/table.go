package config

import (
	_ "embed"
	"strings"
)

// Defaults is a configuration file with every key at its default, to start one's own from.
//
//go:embed defaults.yaml
var Defaults string

// Key describes one key of the configuration.
type Key struct {
	// Name is section.key as in the YAML file.
	Name string
	// Variables are the environment variables by precedence; the first is SECTION_KEY.
	Variables []string
	// Default is the default as it would stand in the file, "" for nothing.
	Default string
	// Meaning is one phrase, which may hold Markdown.
	Meaning string
}

// Keys lists all keys by section.
func Keys() []Key {
	entries := new(Config).entries()
	list := make([]Key, len(entries))
	for i := range entries {
		e := &entries[i]
		list[i] = Key{Name: e.name, Variables: append([]string{variable(e.name)}, e.env...), Default: e.def, Meaning: e.meaning}
	}
	return list
}

// Table is the list of all keys as a Markdown table.
func Table() string {
	var b strings.Builder
	b.WriteString("| key | variable | default | meaning |\n|---|---|---|---|\n")
	for _, k := range Keys() {
		def := "–"
		if k.Default != "" {
			def = "`" + k.Default + "`"
		}
		b.WriteString("| `" + k.Name + "` | `" + strings.Join(k.Variables, "`, `") + "` | " + def + " | " + k.Meaning + " |\n")
	}
	return b.String()
}
