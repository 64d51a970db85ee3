package config

import "strings"

// unknown reports an unknown key or section, and suggests the nearest known one.
func (l *loader) unknown(where, name string, known []string) {
	best, distance := "", len(name)/2+1 // a more distant word is another word
	for _, candidate := range known {
		if d := edits(name, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	if best != "" {
		l.problem("%s: %s is unknown; did you mean %s?", where, name, best)
		return
	}
	l.problem("%s: %s is unknown; allowed are %s", where, name, strings.Join(known, ", "))
}

// names lists all keys.
func (l *loader) names() []string {
	list := make([]string, len(l.entries))
	for i := range l.entries {
		list[i] = l.entries[i].name
	}
	return list
}

// sections lists all sections in their order.
func (l *loader) sections() []string {
	var list []string
	for i := range l.entries {
		section, _, _ := strings.Cut(l.entries[i].name, ".")
		if len(list) == 0 || list[len(list)-1] != section {
			list = append(list, section)
		}
	}
	return list
}

// edits returns the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
