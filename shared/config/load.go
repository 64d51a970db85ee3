package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// loader collects errors while it reads the sources.
type loader struct {
	config   *Config
	entries  []entry
	problems []error
	// wrongValues is how many of the problems are values of single keys.
	wrongValues int
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf(format, args...))
}

func (l *loader) warn(format string, args ...any) {
	l.config.Warnings = append(l.config.Warnings, fmt.Sprintf(format, args...))
}

// set parses a key's text. source is path:line, a variable or a parameter.
func (l *loader) set(e *entry, source, s string) {
	e.source = source
	err := e.value.set(s)
	if err == nil {
		return
	}
	e.wrong = true
	l.wrongValues++
	shown := fmt.Sprintf("%q", s)
	if _, hide := e.value.(confidential); hide {
		shown = redacted
	} else if u, ok := e.value.(url); ok {
		shown = u.shown(s)
	}
	l.problem("%s: %s is %s; allowed are %w", source, e.name, shown, err)
}

// shown returns a malformed URL for an error.
func (v url) shown(s string) string {
	if v.secret == nil {
		return fmt.Sprintf("%q", s)
	}
	return redacted // in a malformed URL, the limits of the password are unclear
}

// environment reads the variables of all keys.
func (l *loader) environment(env func(string) string) {
	for i := range l.entries {
		e := &l.entries[i]
		for _, name := range e.variables() {
			s := env(name)
			if s == "" {
				continue
			}
			if e.misspelt != "" && name == variable(e.misspeltName()) {
				l.warn("environment variable %s is a misspelling of %s", name, variable(e.name))
			}
			l.set(e, "environment variable "+name, s)
			break
		}
	}
}

// given sets overrides, such as parameters of the template. An empty value means the default, like an empty variable.
func (l *loader) given(settings []Setting) {
	for _, s := range settings {
		e := l.entry(s.Key)
		switch {
		case e == nil:
			l.unknown(s.Source, s.Key, l.names())
		case s.Value == "":
			e.source = ""
			_ = e.value.set(e.def) // it parsed before
		default:
			l.set(e, s.Source, s.Value)
		}
	}
}

// file reads the YAML file.
func (l *loader) file(path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		l.problem("read the configuration file: %w", err)
		return
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		if strings.Contains(err.Error(), "unknown anchor") { // the error shows the anchor, which may be a password
			err = errors.New("a value that begins with * must be in quotes")
		}
		l.problem("%s: %w", path, err)
		return
	}
	if len(document.Content) == 0 {
		return // empty, or comments only
	}
	l.mapping(path, "", document.Content[0], func(section string, key, node *yaml.Node) {
		if !l.isSection(section) {
			l.unknown(at(path, key), section, l.sections())
			return
		}
		l.mapping(path, section, node, func(name string, key, node *yaml.Node) {
			l.key(path, section+"."+name, key, node)
		})
	})
}

// mapping calls each for every key of a mapping. name is the mapping's own, "" for the whole file.
func (l *loader) mapping(path, name string, node *yaml.Node, each func(name string, key, value *yaml.Node)) {
	node = resolve(node)
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // a section without keys
	}
	if node.Kind != yaml.MappingNode {
		what := name
		if what == "" {
			what = "the file"
		}
		l.problem("%s: %s is a %s; allowed is a mapping of keys to values", at(path, node), what, kind(node))
		return
	}
	lines := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if line, twice := lines[key.Value]; twice {
			l.problem("%s: duplicate key %s, first in line %d", at(path, key), strings.TrimPrefix(name+"."+key.Value, "."), line)
			continue
		}
		lines[key.Value] = key.Line
		each(key.Value, key, node.Content[i+1])
	}
}

// key gives one key of the file its value.
func (l *loader) key(path, name string, key, node *yaml.Node) {
	e := l.entry(name)
	if e == nil {
		l.unknown(at(path, key), name, l.names())
		return
	}
	if name != e.name {
		l.warn("%s: %s is a misspelling of %s", at(path, key), name, e.name)
	}
	if e.source != "" {
		l.problem("%s: duplicate key %s, first in %s", at(path, key), e.name, e.source)
		return
	}
	node = resolve(node)
	switch {
	case node.Kind != yaml.ScalarNode:
		l.problem("%s: %s is a %s; allowed is a single value", at(path, node), e.name, kind(node))
	case node.Style&yaml.TaggedStyle != 0 || node.Anchor != "" && node.Value == "": // YAML would silently make it an empty password
		l.problem("%s: %s begins with ! or &; allowed are values in quotes", at(path, node), e.name)
	case node.Tag == "!!null", node.Value == "" && e.def == "": // the default
	default:
		l.set(e, at(path, node), node.Value) // the text itself, so that a password 0123 keeps its zero
	}
}

// entry finds a key by its name or its known misspelling.
func (l *loader) entry(name string) *entry {
	for i := range l.entries {
		e := &l.entries[i]
		if e.name == name || e.misspelt != "" && e.misspeltName() == name {
			return e
		}
	}
	return nil
}

func (l *loader) isSection(name string) bool {
	for i := range l.entries {
		if strings.HasPrefix(l.entries[i].name, name+".") {
			return true
		}
	}
	return false
}

func at(path string, node *yaml.Node) string { return fmt.Sprintf("%s:%d", path, node.Line) }

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "mapping"
	case yaml.SequenceNode:
		return "list"
	default:
		return "single value"
	}
}
