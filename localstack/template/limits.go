package template

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

const (
	// maxTemplate is the maximum size of a template in bytes, also after its aliases are written out, as the SAM CLI
	// does. See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html.
	maxTemplate = 1 << 20
	// maxNesting is how deep lists and mappings may nest. CloudFormation does not publish its limit.
	maxNesting = 100
	// maxMade is how many bytes functions such as Fn::Join may produce in all.
	maxMade = 64 << 20
)

// readTemplate reads a file of up to maxTemplate bytes.
func readTemplate(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTemplate+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return text, nil
}

// expansion is the size of a node with its aliases written out.
type expansion struct {
	size  int // bytes of the values, and one for each node
	depth int // of nesting
}

// measure computes the expansion of nodes. It visits each node once, however many aliases refer to it.
type measure struct {
	known map[*yaml.Node]expansion
	open  map[*yaml.Node]bool
	// inItself is an alias inside its own anchor's node.
	inItself *yaml.Node
}

func (m *measure) of(n *yaml.Node) expansion {
	if n.Kind == yaml.AliasNode {
		if m.open[n.Alias] {
			m.inItself = n
			return expansion{}
		}
		return m.of(n.Alias)
	}
	if found, ok := m.known[n]; ok {
		return found
	}
	m.open[n] = true
	e := expansion{size: 1 + len(n.Value)}
	for _, child := range n.Content {
		inner := m.of(child)
		if m.inItself != nil {
			return expansion{}
		}
		e.size = min(e.size+inner.size, 1<<40) // sizes grow exponentially; the cap avoids an overflow
		e.depth = max(e.depth, inner.depth)
	}
	if len(n.Content) > 0 {
		e.depth++
	}
	delete(m.open, n)
	m.known[n] = e
	return e
}

// checkSize reports aliases inside their own anchor, and a template that is too large or too deep.
func checkSize(root *yaml.Node, found *problems) {
	m := &measure{known: map[*yaml.Node]expansion{}, open: map[*yaml.Node]bool{}}
	whole := m.of(root)
	switch {
	case m.inItself != nil:
		found.add(m.inItself.Line, "", "alias *%s is inside its own anchor", m.inItself.Value)
	case whole.size > maxTemplate:
		n := m.heaviest(root)
		found.add(n.Line, "", "the aliases make the template larger than CloudFormation's limit of %d bytes; the largest is *%s",
			maxTemplate, n.Value)
	case whole.depth > maxNesting:
		found.add(m.deepest(root).Line, "", "lists and mappings nest deeper than %d levels", maxNesting)
	}
}

// heaviest returns the alias with the largest expansion.
func (m *measure) heaviest(root *yaml.Node) *yaml.Node {
	var heaviest *yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.AliasNode && (heaviest == nil || m.of(n).size > m.of(heaviest).size) {
			heaviest = n
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
	return heaviest
}

// deepest returns the first node beyond the nesting limit.
func (m *measure) deepest(n *yaml.Node) *yaml.Node {
	for range maxNesting {
		next := follow(n)
		for _, child := range next.Content {
			if m.of(child).depth == m.of(next).depth-1 {
				n = child
				break
			}
		}
	}
	return n
}

// make counts a text of size bytes, and reports whether the limit allows it.
func (s scope) make(n *yaml.Node, size int) bool {
	if s.r.made += size; s.r.made <= maxMade {
		return true
	}
	s.r.add(n.Line, s.subject, "the functions up to here produce more than %d bytes of text", maxMade)
	return false
}
