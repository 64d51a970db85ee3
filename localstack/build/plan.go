package build

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
)

// batch is the work of one go command: several packages of a module, or a single package.
type batch struct {
	dir      string // the folder that the go command runs in, within the module
	output   string // the value of -o: a folder if it ends with a slash, else a file
	packages []*pkg
}

// version matches the last element of a path that go build skips when it names a binary.
var version = regexp.MustCompile(`^v[0-9]+$`)

// plan divides the packages among as few go commands as possible, as one command compiles shared code once. The go command
// names a binary by its folder. So a package gets a command of its own if its name collides with another, or if the name
// does not come from the folder. The result depends on the packages alone.
func plan(packages []*pkg, outDir string) []*batch {
	names := map[string]int{}
	for _, p := range packages {
		names[filepath.Base(p.dir)]++
	}
	var batches []*batch
	modules := map[string]*batch{}
	for _, p := range packages {
		name := filepath.Base(p.dir)
		root := moduleOf(p.dir)
		if names[name] > 1 || root == "" || root == p.dir || version.MatchString(name) {
			p.binary = filepath.Join(outDir, fmt.Sprintf("%s-%08x", name, crc32.ChecksumIEEE([]byte(p.dir))))
			batches = append(batches, &batch{dir: p.dir, output: p.binary, packages: []*pkg{p}})
			continue
		}
		p.binary = filepath.Join(outDir, name)
		if modules[root] == nil {
			modules[root] = &batch{dir: root, output: outDir + string(filepath.Separator)}
			batches = append(batches, modules[root])
		}
		modules[root].packages = append(modules[root].packages, p)
	}
	return batches
}

// moduleOf returns the folder of the module that contains dir, or "" if there is no module.
func moduleOf(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && info.Mode().IsRegular() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
