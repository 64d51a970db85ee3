package template

import (
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Configuration is what the template's Metadata says under LocalStack.Configuration: how the settings that the
// application's users give in a file of its own, or as environment variables, come to the stack. CloudFormation ignores it.
type Configuration struct {
	// Reader is the absolute path of the folder of a Go program that prints the settings as JSON.
	Reader string
	// Parameters are the template's parameters by the keys of the settings that fill them. A deployment gets them as
	// parameters only, so that the local stack does as well.
	Parameters map[string]string
}

// readMetadata reads Metadata.LocalStack, which is the local stack's own; whatever else Metadata has is somebody else's.
func (t *Template) readMetadata(found *problems) {
	own := follow(member(section(t.root, "Metadata", found), "LocalStack"))
	if own != nil && own.Kind != yaml.MappingNode {
		found.add(own.Line, "Metadata LocalStack", "is not a mapping; known is Configuration")
	}
	for key, value := range members(own) {
		if key.Value != "Configuration" {
			found.add(key.Line, "Metadata LocalStack", "%s is not known; known is Configuration", key.Value)
			continue
		}
		t.readConfiguration(value, found)
	}
}

func (t *Template) readConfiguration(n *yaml.Node, found *problems) {
	const subject = "Metadata LocalStack.Configuration"
	c := &Configuration{Parameters: map[string]string{}}
	for key, value := range members(n) {
		switch {
		case key.Value == "Reader" && value.Kind == yaml.ScalarNode:
			c.Reader = filepath.Join(t.dir, value.Value)
		case key.Value == "Parameters" && value.Kind == yaml.MappingNode:
			for setting, parameter := range members(value) {
				c.Parameters[setting.Value] = parameter.Value
				t.checkDeclared(parameter, subject, found)
			}
		default:
			found.add(key.Line, subject, "%s is not known, or of the wrong form; known are Reader, a path, and Parameters, a mapping", key.Value)
		}
	}
	if c.Reader == "" {
		found.add(n.Line, subject, "has no Reader")
	}
	t.Configuration = c
}

func (t *Template) checkDeclared(parameter *yaml.Node, subject string, found *problems) {
	if names := t.names(); !slices.Contains(names, parameter.Value) {
		found.add(parameter.Line, subject, "parameter %q %s", parameter.Value, undeclared(parameter.Value, names))
	}
}
