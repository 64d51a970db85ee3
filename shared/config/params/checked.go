package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/shared/config"
)

// checked returns the command's errors about its own arguments and the overrides that no key fills, so that the user
// sees all errors at once. The command is a local stack, whose --check does this.
func (s *start) checked(command []string) error {
	if len(command) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "params-")
	if err != nil {
		return fmt.Errorf("check the other parameters: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	others := &start{}
	for _, o := range s.overrides {
		if !fillsKey(o.name) {
			others.parameters = append(others.parameters, parameter{o.name, o.value, "PARAMS"})
		}
	}
	flags, err := others.write(dir)
	if err != nil {
		return err
	}
	out, err := exec.Command(command[0], slices.Concat(command[1:], flags, []string{"--check"})...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		_, message, _ := strings.Cut(string(out), ": ") // after the program's name
		return errors.New(strings.TrimSpace(message))
	}
	if err != nil {
		return fmt.Errorf("check the other parameters: %w", err)
	}
	return nil
}

// fillsKey reports whether a key fills a parameter, and thus has checked it.
func fillsKey(name string) bool {
	for _, parameter := range config.Parameters {
		if parameter == name {
			return true
		}
	}
	return false
}
