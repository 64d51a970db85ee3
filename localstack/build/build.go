// Package build compiles the functions of a template for this machine.
package build

import (
	"context"
	"errors"
	"fmt"
	gobuild "go/build"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// Function is a function to build.
type Function struct {
	// Name is the name of the function in messages and in the result. Required and unique.
	Name string
	// LogicalID is the function's in the template, which names its Makefile target. Required for Make and zip files.
	LogicalID string
	// Source is the folder of the code, or a zip file. Functions may share a folder. Required.
	Source string
	// BuildMethod is Metadata.BuildMethod of the template: Go, Make or Prebuilt. Method replaces "".
	BuildMethod string
	// Bootstrap is the path of the binary inside the built code, with slashes. Required but for Go.
	Bootstrap string
	// Retired functions have the runtime go1.x.
	Retired bool
}

// ErrNoGo reports that the go command is missing.
var ErrNoGo = errors.New("no go command on the PATH, which builds the functions: install Go from https://go.dev/dl/")

// Build gets the binary of each function for this machine and returns the absolute paths by function name. The binaries of
// Prebuilt folders stay where they are. All others are in outDir, which Build creates if it is missing. Their names do not
// change from build to build, so the go command does not link an unchanged binary again. Build replaces a binary by a
// rename: processes that run the old binary are not disturbed.
//
// The supervisor ends the commands with the local stack. Only one Build at a time may use outDir: Build removes the
// temporary folders of builds that were killed.
//
// Errors: ErrNoGo, ErrNoMake, or one error that names every function that cannot be built and quotes the compiler.
func Build(ctx context.Context, processes *process.Supervisor, functions []Function, outDir string) (map[string]string, error) {
	outDir, err := filepath.Abs(outDir)
	if err != nil {
		return nil, fmt.Errorf("build the functions: %w", err)
	}
	by, err := sortByMethod(functions)
	if err != nil {
		return nil, err
	}
	packages, err := collect(by[Go])
	if err != nil {
		return nil, err
	}
	if err := removeLeftovers(outDir); err != nil {
		return nil, fmt.Errorf("build the functions: %w", err)
	}
	binaries, err := takePrebuilt(by[Prebuilt], outDir)
	if err != nil {
		return nil, err
	}
	made, err := runMake(ctx, processes, by[Make], outDir)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("build the functions: %w", ctx.Err())
	}
	compiled, goErr := compile(ctx, processes, packages, outDir)
	if err := errors.Join(err, goErr); err != nil {
		return nil, err
	}
	maps.Copy(binaries, made)
	maps.Copy(binaries, compiled)
	return binaries, nil
}

// sortByMethod returns the functions by their method. The error names every function without one.
func sortByMethod(functions []Function) (map[string][]Function, error) {
	by := map[string][]Function{}
	var errs []error
	for _, f := range functions {
		method, err := Method(f)
		if err != nil {
			errs = append(errs, fmt.Errorf("function %s: %w", f.Name, err))
			continue
		}
		by[method] = append(by[method], f)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("build the functions: %w", errors.Join(errs...))
	}
	return by, nil
}

// compile runs the go command for the packages and returns the binaries by function name.
func compile(ctx context.Context, processes *process.Supervisor, packages []*pkg, outDir string) (map[string]string, error) {
	if len(packages) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, ErrNoGo
	}
	if err := run(ctx, processes, plan(packages, outDir), outDir); err != nil {
		return nil, err
	}
	binaries := map[string]string{}
	for _, p := range packages {
		for _, name := range p.functions {
			binaries[name] = p.binary
		}
	}
	return binaries, nil
}

// pkg is a main package and the functions that run it.
type pkg struct {
	dir       string
	functions []string
	binary    string // set by plan
}

// String describes the package in messages: "function hello (/…/functions/hello)".
func (p *pkg) String() string {
	noun := "function "
	if len(p.functions) > 1 {
		noun = "functions "
	}
	return noun + strings.Join(p.functions, ", ") + " (" + p.dir + ")"
}

// collect checks the functions and returns their packages, sorted by folder.
func collect(functions []Function) ([]*pkg, error) {
	packages := map[string]*pkg{}
	var errs []error
	for _, f := range functions {
		dir, err := filepath.Abs(f.Source)
		if err == nil {
			// Two paths to one folder are one package.
			dir, err = filepath.EvalSymlinks(dir)
		}
		if err == nil {
			err = checkMain(dir)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("function %s: its folder %s: %w", f.Name, f.Source, err))
			continue
		}
		if packages[dir] == nil {
			packages[dir] = &pkg{dir: dir}
		}
		packages[dir].functions = append(packages[dir].functions, f.Name)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("build the functions: %w", errors.Join(errs...))
	}
	var sorted []*pkg
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		sorted = append(sorted, packages[dir])
	}
	return sorted, nil
}

// checkMain checks that a folder has a main package. For other packages, go build would succeed without a binary.
func checkMain(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("is not a folder")
	}
	p, err := gobuild.ImportDir(dir, 0)
	if none := (*gobuild.NoGoError)(nil); errors.As(err, &none) {
		return errors.New("has no Go files for this machine")
	}
	// go build reports any other error.
	if err == nil && !p.IsCommand() {
		return fmt.Errorf("has package %s; a function needs package main", p.Name)
	}
	return nil
}
