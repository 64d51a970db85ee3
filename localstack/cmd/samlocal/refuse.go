package main

import (
	"errors"
	"fmt"
	"strings"
)

// refusals are values of variables that do not work in a container.
type refusals []refusal

type refusal struct{ name, value, reason string }

// String implements flag.Value.
func (r *refusals) String() string { return "" }

// Set implements flag.Value; text is NAME=value: reason.
func (r *refusals) Set(text string) error {
	variable, reason, found := strings.Cut(text, ": ")
	name, value, isPair := strings.Cut(variable, "=")
	if !found || !isPair || name == "" || reason == "" {
		return errors.New("allowed is NAME=value: reason")
	}
	*r = append(*r, refusal{name, value, reason})
	return nil
}

// check returns why a function is refused, nil if none is.
func (r refusals) check(functions map[string]map[string]string) error {
	for _, refused := range r {
		for id, variables := range functions {
			if value, set := variables[refused.name]; set && value == refused.value {
				return fmt.Errorf("function %s has %s=%s: %s", id, refused.name, refused.value, refused.reason)
			}
		}
	}
	return nil
}
