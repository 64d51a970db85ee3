// Command settings prints the whole configuration, key by key, as JSON: it is how the local stack, which knows nothing of
// the application, learns what a user has configured. An argument is the path of the file, in place of KSU_CONFIG; stdin
// has settings that win over file and environment, as a JSON list of objects with key, value and source, or nothing. It
// reads as the functions do; what is wrong stands on stderr, all at once, and the exit status is 1.
//
// What it prints holds passwords.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/eragon-mdi/ksu/shared/config"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	var given []config.Setting
	if err := json.NewDecoder(in).Decode(&given); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("settings on stdin: %w", err)
	}
	var file string
	if len(args) > 0 {
		file = args[0]
	}
	settings, warnings, err := config.Settings(func(name string) string {
		if name == config.FileVariable {
			return cmp.Or(file, os.Getenv(name))
		}
		return os.Getenv(name)
	}, given)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]any{"settings": settings, "warnings": warnings})
}
