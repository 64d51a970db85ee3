package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems are listed.
const maxProblems = 100

// problems collects what is wrong with a template, to say it all at once.
type problems struct {
	file string
	all  []problem
	more bool // there were more than maxProblems
}

type problem struct {
	line int // 0: of no line of the file, such as an override
	text string
}

// add adds a problem; subject ("Resource Foo") may be empty. The same problem is kept once: a node under several aliases
// is read several times.
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

// err is an error of one line for each problem, in the order of the file; nil when there are none.
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
		lines = append(lines, fmt.Sprintf("%s: and more than these %d", p.file, maxProblems))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// list writes names for a message; "none" if there are none.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
