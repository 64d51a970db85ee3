package job

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Catalogue holds jobs by name. The zero value holds none.
type Catalogue struct{ jobs map[string]*Job }

// NewCatalogue returns a catalogue of jobs. It panics when two have one name.
func NewCatalogue(jobs ...*Job) Catalogue {
	c := Catalogue{make(map[string]*Job, len(jobs))}
	for _, j := range jobs {
		if _, taken := c.jobs[j.name]; taken {
			panic("job: two jobs are named " + j.name)
		}
		c.jobs[j.name] = j
	}
	return c
}

// Lookup returns the job of a name.
func (c Catalogue) Lookup(name string) (j *Job, ok bool) {
	j, ok = c.jobs[name]
	return j, ok
}

// All returns the jobs, sorted by name.
func (c Catalogue) All() []*Job {
	return slices.SortedFunc(maps.Values(c.jobs), func(a, b *Job) int { return strings.Compare(a.name, b.name) })
}

// Unknown is the error for a name that no job has; it lists the names.
func (c Catalogue) Unknown(name string) error {
	var names []string
	for _, j := range c.All() {
		names = append(names, j.name)
	}
	return fmt.Errorf("job %q is unknown; known are: %s", name, strings.Join(names, ", "))
}
