// Package template reads a SAM template and returns the plan of a local stack: functions, REST API, queues, event
// source mappings, schedules and custom resources. It resolves parameters, conditions and intrinsic functions.
//
// The table in support.go says what the local stack emulates, what has no effect, and what it refuses. Nothing is
// ignored silently. A setting outside the table is an error with file and line. Stack.NotEmulated lists settings
// without effect that a user might miss.
package template

import (
	"fmt"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// serverless is the transform of a SAM template.
const serverless = "AWS::Serverless-2016-10-31"

// Template is a parsed template, before parameters have values. It does not change after Parse, and is safe for
// concurrent use.
type Template struct {
	// Parameters are the declared parameters in the template's order.
	Parameters []Parameter
	// Provide are the backing services that Metadata.Local requests.
	Provide []spec.Provide

	path string
	dir  string // absolute folder of the template, the base of CodeUri
	root *yaml.Node

	declarations []declaration
	// The sections, nil if omitted; sam is the Transform that makes it a SAM template.
	mappings, conditions, rules, globals, resources, outputs, sam *yaml.Node
}

// sections are the allowed top-level keys. Of Metadata, only Local has an effect. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html.
var sections = []string{
	"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Mappings", "Metadata", "Outputs", "Parameters",
	"Resources", "Rules", "Transform",
}

// Parse reads the template at path and checks its form. The error lists everything that is wrong, each with file and
// line.
func Parse(path string) (*Template, error) {
	text, err := readTemplate(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text)
}

// parse reads the text of the template at path.
func parse(path string, text []byte) (*Template, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("template %s is larger than CloudFormation's limit of %d bytes", path, maxTemplate)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", path, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("template %s: %w", path, err)
	}
	t := &Template{path: path, dir: dir}
	found := &problems{file: path}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		found.add(1, "", "a template must be a mapping with a member Resources")
		return nil, found.err()
	}
	t.root = document.Content[0]
	checkForm(t.root, found)
	if err := found.err(); err != nil {
		return nil, err
	}
	t.readSections(found)
	t.declarations = readParameters(section(t.root, "Parameters", found), found)
	for _, d := range t.declarations {
		t.Parameters = append(t.Parameters, d.Parameter)
	}
	t.readMetadata(found)
	t.checkCounts(found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Template) readSections(found *problems) {
	for key := range members(t.root) {
		if !slices.Contains(sections, key.Value) {
			found.add(key.Line, "", "section %s is not supported by the local stack; supported are %s", key.Value, list(sections))
		}
	}
	t.mappings = section(t.root, "Mappings", found)
	t.conditions = section(t.root, "Conditions", found)
	t.rules = section(t.root, "Rules", found)
	t.globals = section(t.root, "Globals", found)
	t.resources = section(t.root, "Resources", found)
	t.outputs = section(t.root, "Outputs", found)
	if t.resources == nil {
		found.add(t.root.Line, "", "the template has no Resources")
	}
	t.readTransform(found)
}

func (t *Template) readTransform(found *problems) {
	transform := follow(member(t.root, "Transform"))
	if transform == nil {
		return
	}
	names := []*yaml.Node{transform}
	if transform.Kind == yaml.SequenceNode {
		names = transform.Content
	}
	for _, n := range names {
		if n.Kind != yaml.ScalarNode || n.Value != serverless {
			found.add(n.Line, "", "Transform %s is not supported by the local stack; supported is %s", n.Value, serverless)
			continue
		}
		t.sam = n
	}
}

// section returns a top-level mapping, nil if the template has none.
func section(root *yaml.Node, name string, found *problems) *yaml.Node {
	n := follow(member(root, name))
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		found.add(n.Line, "", "section %s is not a mapping", name)
		return nil
	}
	return n
}
