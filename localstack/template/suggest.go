package template

import "strings"

// undeclared says that a parameter is unknown. It suggests the most similar name, else lists all.
func undeclared(name string, declared []string) string {
	best, most := "", 2*len(name)/3 // with less in common, it is another word
	for _, candidate := range declared {
		if n := inCommon(strings.ToLower(name), strings.ToLower(candidate)); n > most {
			best, most = candidate, n
		}
	}
	if best != "" {
		return "is not declared; did you mean " + best + "?"
	}
	return "is not declared; the template declares " + list(declared)
}

// inCommon counts the characters that two words share at their beginnings and ends. A single typo leaves all the
// others.
func inCommon(a, b string) int {
	prefix, suffix, shorter := 0, 0, min(len(a), len(b))
	for prefix < shorter && a[prefix] == b[prefix] {
		prefix++
	}
	for suffix < shorter-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	return prefix + suffix
}
