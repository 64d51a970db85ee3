package build

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
)

// batch is what one go command builds: many packages of one module at once, or a single one.
type batch struct {
	dir      string // where the go command runs: within the module
	output   string // its -o: a folder if it ends with a slash, else a file
	packages []*pkg
}

// version matches a path's last element that go build skips when it names a binary.
var version = regexp.MustCompile(`^v[0-9]+$`)

// plan divides the packages into as few go commands as possible: one command loads and compiles what they
// share once. It names each binary by its folder, so packages whose names collide are built by themselves,
// as are those for which the name comes from elsewhere. The assignment depends on the packages alone.
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

// moduleOf returns the folder of the module that a folder belongs to, or "" if there is none.
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
