package template

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Parameter is a declared parameter of a template.
type Parameter struct {
	Name string
	// Type is CloudFormation's, such as String, Number or CommaDelimitedList.
	Type string
	// Default is the default value. HasDefault is false if a deployment must give a value.
	Default     string
	HasDefault  bool
	Description string
	// AllowedValues are the only values allowed; nil allows all.
	AllowedValues []string
	// NoEcho marks secrets, which are never printed.
	NoEcho bool
}

// declaration is a parameter with its constraints.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html.
type declaration struct {
	Parameter
	node       *yaml.Node
	pattern    *javaPattern
	constraint string // ConstraintDescription
	limits     map[string]float64
}

// limitNames are the numeric constraints.
var limitNames = []string{"MinLength", "MaxLength", "MinValue", "MaxValue"}

func (d *declaration) subject() string { return "Parameter " + d.Name }

// isList reports whether the value is split at commas.
func (d *declaration) isList() bool {
	kind := strings.TrimPrefix(d.Type, storedType)
	return strings.HasPrefix(kind, "CommaDelimitedList") || strings.HasPrefix(kind, "List<")
}

func (d *declaration) isNumber() bool { return d.Type == "Number" || d.Type == "List<Number>" }

func readParameters(section *yaml.Node, found *problems) []declaration {
	var all []declaration
	for key, node := range members(section) {
		d := declaration{node: node, limits: map[string]float64{}}
		d.Name = key.Value
		d.node = key
		if node.Kind != yaml.MappingNode {
			found.add(key.Line, d.subject(), "is not a mapping with a member Type")
			continue
		}
		for name, value := range members(node) {
			d.readMember(name, value, found)
		}
		d.checkType(found)
		all = append(all, d)
	}
	return all
}

func (d *declaration) readMember(name, value *yaml.Node, found *problems) {
	if name.Value == "AllowedValues" && value.Kind == yaml.SequenceNode {
		d.AllowedValues = []string{}
		for _, item := range value.Content {
			d.AllowedValues = append(d.AllowedValues, follow(item).Value)
		}
		return
	}
	if value.Kind != yaml.ScalarNode || strings.HasPrefix(value.Tag, "!") && !strings.HasPrefix(value.Tag, "!!") {
		found.add(name.Line, d.subject(), "the value of %s has the wrong form; functions are not allowed here", name.Value)
		return
	}
	switch name.Value {
	case "Type":
		d.Type = value.Value
	case "Default":
		d.Default, d.HasDefault = value.Value, true
	case "Description":
		d.Description = value.Value
	case "ConstraintDescription":
		d.constraint = value.Value
	case "NoEcho":
		d.NoEcho = strings.EqualFold(value.Value, "true")
	case "AllowedPattern":
		var err error
		if d.pattern, err = compileJava(value.Value); err != nil {
			found.add(name.Line, d.subject(), "AllowedPattern: %v", err)
		}
	case "MinLength", "MaxLength", "MinValue", "MaxValue":
		limit, err := strconv.ParseFloat(value.Value, 64)
		if err != nil {
			found.add(name.Line, d.subject(), "%s is %q; it must be a number", name.Value, value.Value)
			return
		}
		d.limits[name.Value] = limit
	default:
		found.add(name.Line, d.subject(), "unknown attribute %s", name.Value)
	}
}

func (d *declaration) checkType(found *problems) {
	switch {
	case d.Type == "String", d.isNumber(), d.Type == "CommaDelimitedList", strings.HasPrefix(d.Type, "AWS::"),
		strings.HasPrefix(d.Type, "List<AWS::"):
	case d.Type == "":
		found.add(d.node.Line, d.subject(), "has no Type")
	default:
		found.add(d.node.Line, d.subject(),
			"unknown type %s; allowed are String, Number, List<Number>, CommaDelimitedList and AWS types", d.Type)
	}
}

// check reports the rules that a value breaks. source is where the value stands, "" for the default.
func (d *declaration) check(value, source string, found *problems) {
	items := []string{value}
	if d.isList() {
		items = splitList(value)
	}
	for _, item := range items {
		if rule := d.broken(item); rule != "" {
			shown := strconv.Quote(item)
			if d.NoEcho {
				shown = "the value, which is not shown,"
			}
			if d.constraint != "" {
				rule += ": " + d.constraint
			}
			if source != "" {
				shown += " of " + source
			}
			found.add(d.node.Line, d.subject(), "%s %s", shown, rule)
		}
	}
}

// broken returns the rule that a value breaks, "" if it is allowed.
func (d *declaration) broken(value string) string {
	number, err := strconv.ParseFloat(value, 64)
	if d.isNumber() && err != nil {
		return "is not a number"
	}
	if d.AllowedValues != nil && !slices.Contains(d.AllowedValues, value) {
		return "is not allowed; allowed are " + list(d.AllowedValues)
	}
	if d.pattern != nil {
		ok, err := d.pattern.matches(value)
		if err != nil {
			return "takes more than " + patternTimeout.String() + " to compare with the pattern " + d.pattern.text
		}
		if !ok {
			return "does not match the pattern " + d.pattern.text
		}
	}
	length := float64(len([]rune(value)))
	for _, name := range limitNames {
		limit, ok := d.limits[name]
		have := number
		if strings.HasSuffix(name, "Length") {
			have = length
		}
		if ok && (strings.HasPrefix(name, "Min") && have < limit || strings.HasPrefix(name, "Max") && have > limit) {
			return "breaks " + name + " " + strconv.FormatFloat(limit, 'f', -1, 64)
		}
	}
	return ""
}

// splitList splits a CommaDelimitedList and trims spaces around items.
func splitList(value string) []string {
	if value == "" {
		return nil
	}
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// CheckParameters checks parameter values. Its error lists all unknown names and all forbidden values.
func (t *Template) CheckParameters(given map[string]spec.Value) error {
	found := &problems{file: t.path}
	for _, d := range t.declarations {
		if value, ok := given[d.Name]; ok {
			d.check(value.Text, value.Source, found)
		}
	}
	t.checkNames(given, found)
	return found.err()
}

// checkNames reports parameters that the template does not declare.
func (t *Template) checkNames(given map[string]spec.Value, found *problems) {
	names := t.names()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) && !isResolve(name) {
			found.add(0, "Parameter "+name, "%s", undeclared(name, names))
		}
	}
}

// names returns the names of the template's parameters.
func (t *Template) names() (list []string) {
	for _, d := range t.declarations {
		list = append(list, d.Name)
	}
	return list
}

// values returns every parameter's value as a node. It reports unknown overrides, and missing and forbidden values.
func (t *Template) values(overrides map[string]spec.Value, found *problems) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	for _, d := range t.declarations {
		value, given := overrides[d.Name]
		if !given {
			value.Text = d.Default
		}
		if !given && !d.HasDefault {
			found.add(d.node.Line, d.subject(), "has no default and needs a value")
			value.Text = ""
		} else {
			d.check(value.Text, value.Source, found)
		}
		values[d.Name] = text(d.node, value.Text)
		if d.isList() {
			values[d.Name] = sequence(d.node)
			for _, item := range splitList(value.Text) {
				values[d.Name].Content = append(values[d.Name].Content, text(d.node, item))
			}
		}
	}
	t.checkNames(overrides, found)
	return values
}
