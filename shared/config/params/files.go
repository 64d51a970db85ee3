package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// write writes the two files and returns all flags. It omits the flag of an empty file.
func (s *start) write(dir string) (flags []string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the parameters: %w", err)
	}
	var lines strings.Builder
	for _, p := range s.parameters {
		// A JSON string is a YAML string on one line.
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&lines, "%s: %s  # %s\n", p.name, value, strings.Join(strings.Fields(p.source), " "))
	}
	variables, err := json.MarshalIndent(map[string]any{"Parameters": s.variables}, "", "  ")
	if err != nil {
		return nil, err
	}
	parametersFile, variablesFile := filepath.Join(dir, "parameters.yaml"), filepath.Join(dir, "env.json")
	if err := errors.Join(replace(parametersFile, []byte(lines.String())), replace(variablesFile, append(variables, '\n'))); err != nil {
		return nil, fmt.Errorf("write the parameters: %w", err)
	}
	flags = s.flags
	if len(s.parameters) > 0 {
		flags = append(flags, "--parameter-overrides", "file://"+parametersFile)
	}
	if len(s.variables) > 0 {
		flags = append(flags, "--env-vars", variablesFile)
	}
	return flags, nil
}

// replace writes a file with mode 0600. A concurrent reader gets the old content or the new.
func replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
