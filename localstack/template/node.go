package template

import (
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Everything works on YAML nodes, since they know their lines. A resolved intrinsic function becomes a plain node with
// the function's line, so that later errors still point into the file.

// checkForm reports YAML that CloudFormation does not accept: duplicate keys, keys that are not texts, merge keys,
// aliases inside their own anchor, and templates beyond its limits.
func checkForm(root *yaml.Node, found *problems) {
	checkSize(root, found)
	if found.none() {
		checkNode(root, found)
	}
}

// checkNode does not follow aliases: their anchors are in the tree too.
func checkNode(n *yaml.Node, found *problems) {
	if n.Kind == yaml.MappingNode {
		checkKeys(n, found)
	}
	for _, child := range n.Content {
		checkNode(child, found)
	}
}

func checkKeys(n *yaml.Node, found *problems) {
	lines := map[string]int{}
	for key := range members(n) {
		switch {
		case key.Kind != yaml.ScalarNode:
			found.add(key.Line, "", "a key is a text")
		case key.Value == "<<" && key.Tag == "!!merge":
			found.add(key.Line, "", "merge keys (<<) are not supported by CloudFormation")
		case lines[key.Value] != 0:
			found.add(key.Line, "", "duplicate key %s, first in line %d", key.Value, lines[key.Value])
		default:
			lines[key.Value] = key.Line
		}
	}
}

// follow returns the node of an alias.
func follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// members returns the keys and values of a mapping, in order; none for another node. It follows aliases.
func members(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(follow(n.Content[i]), follow(n.Content[i+1])) {
				return
			}
		}
	}
}

// member returns a mapping's value by its key, nil if it has none.
func member(n *yaml.Node, name string) *yaml.Node {
	for key, value := range members(n) {
		if key.Value == name {
			return value
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// intrinsic parses a function in its short (!Sub x) or long (Fn::Sub: x) form; name is Ref, Condition or Fn::….
func intrinsic(n *yaml.Node) (name string, argument *yaml.Node, ok bool) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		plain := *n
		plain.Tag = ""
		if n.Kind == yaml.ScalarNode {
			plain.Tag = "!!str"
		}
		name = strings.TrimPrefix(n.Tag, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		return name, &plain, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		name = n.Content[0].Value
		if name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return name, follow(n.Content[1]), true
		}
	}
	return "", nil, false
}

// text makes a scalar node with the line of another.
func text(at *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: at.Line, Column: at.Column}
}

func sequence(at *yaml.Node, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items, Line: at.Line, Column: at.Column}
}

// same reports whether two resolved nodes have the same content.
func same(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, same)
}

// plain turns a resolved node into JSON's types. Scalars become strings, as CloudFormation sends them.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for key, value := range members(n) {
			m[key.Value] = plain(value)
		}
		return m
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			items = append(items, plain(item))
		}
		return items
	}
	return n.Value
}
