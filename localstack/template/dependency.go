package template

import (
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// orderByDependency reports circular dependencies. It sorts the custom resources by their dependencies, since they run
// one after the other.
func (r *resolution) orderByDependency() {
	var order []string
	done := map[string]bool{}
	var visit func(res *resource, path []string)
	visit = func(res *resource, path []string) {
		if at := slices.Index(path, res.id); at >= 0 {
			r.reportCircle(append(path[at:], res.id))
			return
		}
		if done[res.id] {
			return
		}
		for _, id := range res.dependsOn {
			if on := r.resources[id]; on != nil {
				visit(on, append(slices.Clone(path), res.id))
			}
		}
		done[res.id] = true
		order = append(order, res.id)
	}
	for _, res := range r.order {
		visit(res, nil)
	}
	slices.SortStableFunc(r.stack.CustomResources, func(a, b spec.CustomResource) int {
		return slices.Index(order, a.LogicalID) - slices.Index(order, b.LogicalID)
	})
}

// reportCircle reports a circle at the line of its first resource in the file, wherever the search entered it.
func (r *resolution) reportCircle(circle []string) {
	ring := circle[:len(circle)-1]
	first := 0
	for i, id := range ring {
		if r.resources[id].key.Line < r.resources[ring[first]].key.Line {
			first = i
		}
	}
	ring = slices.Concat(ring[first:], ring[:first])
	r.add(r.resources[ring[0]].key.Line, "Resource "+ring[0], "depends on itself: %s → %s", strings.Join(ring, " → "), ring[0])
}
