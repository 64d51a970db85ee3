package e2e_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"ksu/localstack/build"
)

// built is the folder of what the stacks build, which all share.
var built string

// buildFunctions builds the application's functions before the first stack does, which otherwise several would at once.
var buildFunctions = sync.OnceValue(func() error {
	for name, packages := range map[string][]string{
		"functions": {"functions/api", "functions/worker", "functions/sweeper", "migrate"}, "settings": {"shared/config/settings"},
	} {
		var functions []build.Function
		for _, p := range packages {
			dir, err := filepath.Abs(filepath.Join("../..", p))
			if err != nil {
				return err
			}
			functions = append(functions, build.Function{Name: p, Dir: dir, BuildMethod: "go1.x"})
		}
		if _, err := build.Build(context.Background(), functions, filepath.Join(built, name)); err != nil {
			return err
		}
	}
	return nil
})

// shareBuilt gives a data folder what is built already: nothing is linked again.
func shareBuilt(t testing.TB, data string) {
	t.Helper()
	err := errors.Join(buildFunctions(), os.MkdirAll(data, 0o700))
	for _, name := range []string{"functions", "settings"} {
		link := os.Symlink(filepath.Join(built, name), filepath.Join(data, name))
		if !errors.Is(link, fs.ErrExist) { // a second stack on the same data
			err = errors.Join(err, link)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
