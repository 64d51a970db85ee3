package template

import "strings"

// undeclared says that there is no parameter of a name, and which one was probably meant, or which there are.
func undeclared(name string, declared []string) string {
	best, most := "", 2*len(name)/3 // with less in common it is another word
	for _, candidate := range declared {
		if n := inCommon(strings.ToLower(name), strings.ToLower(candidate)); n > most {
			best, most = candidate, n
		}
	}
	if best != "" {
		return "is not declared; did you mean " + best + "?"
	}
	return "is not declared; the template's parameters are " + list(declared)
}

// inCommon is how many characters two words have in common at their beginnings and ends, which are all but those of one
// slip of the pen.
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
