package main

import (
	"errors"
	"fmt"
	"strings"
)

// override is a parameter of the command line.
type override struct{ name, value string }

// parseOverrides reads parameters in the form of SAM's CLI: "Name=value Name=value". A value with spaces needs double
// quotes, in which a backslash escapes the next character. The form ParameterKey=…,ParameterValue=… works too. The
// error lists everything that is wrong; even then the valid parameters are returned.
func parseOverrides(text string) ([]override, error) {
	words, err := splitWords(text)
	var errs []error
	if err != nil {
		errs = append(errs, fmt.Errorf("PARAMS: %w", err))
	}
	var list []override
	known := map[string]bool{}
	for _, word := range words {
		if rest, long := strings.CutPrefix(word, "ParameterKey="); long {
			word = strings.Replace(rest, ",ParameterValue=", "=", 1)
		}
		name, value, ok := strings.Cut(word, "=")
		switch {
		case !ok || name == "":
			errs = append(errs, fmt.Errorf("PARAMS: %q must have the form Name=value", word))
		case known[name]:
			errs = append(errs, fmt.Errorf("PARAMS: duplicate parameter %s", name))
		default:
			known[name] = true
			list = append(list, override{name, value})
		}
	}
	return list, errors.Join(errs...)
}

// splitWords splits at white space outside of double quotes.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted && i+1 < len(text):
			i++
			word.WriteByte(text[i])
		case c == '"':
			quoted, inWord = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quoted {
		return words, errors.New("unclosed double quote")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
