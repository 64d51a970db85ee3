package e2e_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/process"
)

// built is the folder of built functions, which all stacks share.
var built string

// buildFunctions builds the application's functions once, so that several stacks do not build them at the same time.
var buildFunctions = sync.OnceValue(func() (err error) {
	processes, err := process.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	for name, packages := range map[string][]string{
		"functions": {"functions/api", "functions/worker", "functions/sweeper", "migrate"},
	} {
		var functions []build.Function
		for _, p := range packages {
			dir, err := filepath.Abs(filepath.Join("../..", p))
			if err != nil {
				return err
			}
			functions = append(functions, build.Function{Name: p, Source: dir, BuildMethod: "go1.x"})
		}
		if _, err := build.Build(context.Background(), processes, functions, filepath.Join(built, name)); err != nil {
			return err
		}
	}
	return nil
})

// shareBuilt links the built functions into a data folder, so that the stack does not link them again.
func shareBuilt(t testing.TB, data string) {
	t.Helper()
	err := buildFunctions()
	binaries, globErr := filepath.Glob(filepath.Join(built, "*", "*"))
	err = errors.Join(err, globErr)
	for _, binary := range binaries {
		own := filepath.Join(data, strings.TrimPrefix(binary, built))
		err = errors.Join(err, os.MkdirAll(filepath.Dir(own), 0o700))
		link := os.Link(binary, own)
		if !errors.Is(link, fs.ErrExist) { // a second stack on the same data
			err = errors.Join(err, link)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
