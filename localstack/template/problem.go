package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems an error lists.
const maxProblems = 100

// problems collects all errors of a template, to report them at once.
type problems struct {
	file string
	all  []problem
	more bool // there were more than maxProblems
}

type problem struct {
	line int // 0 for problems outside the file, such as an override
	text string
}

// add adds a problem; subject ("Resource Foo") may be empty. It drops duplicates: a node under several aliases is read
// several times.
func (p *problems) add(line int, subject, format string, args ...any) {
	if len(p.all) == maxProblems {
		p.more = true
		return
	}
	text := fmt.Sprintf(format, args...)
	if subject != "" {
		text = subject + ": " + text
	}
	if found := (problem{line, text}); !slices.Contains(p.all, found) {
		p.all = append(p.all, found)
	}
}

func (p *problems) none() bool { return len(p.all) == 0 }

// err returns an error with one line for each problem, in the order of the file; nil without problems.
func (p *problems) err() error {
	if p.none() {
		return nil
	}
	slices.SortStableFunc(p.all, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	lines := make([]string, 0, len(p.all))
	for _, found := range p.all {
		place := p.file
		if found.line > 0 {
			place = fmt.Sprintf("%s:%d", p.file, found.line)
		}
		lines = append(lines, place+": "+found.text)
	}
	if p.more {
		lines = append(lines, fmt.Sprintf("%s: more than %d errors; these are the first", p.file, maxProblems))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// list joins names for a message; "none" without names.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
