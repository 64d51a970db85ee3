package build

import (
	"errors"
	"fmt"
	gobuild "go/build"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The ways to get the binary of a function.
const (
	// Go compiles a folder of Go code.
	Go = "go1.x"
	// Make runs make build-LogicalID in the folder, which writes the binary to ARTIFACTS_DIR.
	Make = "makefile"
	// Prebuilt takes the binary of a folder or zip file as it is.
	Prebuilt = "prebuilt"
)

// Method returns Go, Make or Prebuilt for a function: its BuildMethod, or without one what its code is. Of the latter, it
// prefers a zip file, then a Makefile with the function's target, then a built binary, then Go code. For Retired functions,
// Go code comes before a built binary: sam build compiles it.
//
// The error says what is missing, and what the user can do. Method does not compile anything.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-custom-runtimes.html.
func Method(f Function) (string, error) {
	info, err := os.Stat(f.Source)
	switch {
	case err != nil:
		return "", fmt.Errorf("there is no folder and no zip file %s; if the project builds it, do that first", f.Source)
	case !info.IsDir() && !isZip(f.Source):
		return "", fmt.Errorf("%s is not a folder and not a zip file", f.Source)
	}
	switch method := f.BuildMethod; {
	case method == Prebuilt, method == "" && !info.IsDir():
		return Prebuilt, f.checkPrebuilt()
	case !info.IsDir():
		return "", fmt.Errorf("%s is a zip file, to which BuildMethod %s does not apply", f.Source, method)
	case method == Go:
		return Go, nil
	case method == Make:
		return Make, f.checkMakefile()
	case method != "":
		return "", fmt.Errorf("BuildMethod %q is not supported by the local stack; supported are %s, %s", method, Go, Make)
	}
	return f.guess()
}

// guess finds the method for a folder without BuildMethod.
func (f Function) guess() (string, error) {
	if f.hasTarget() {
		return Make, nil
	}
	_, err := os.Stat(filepath.Join(f.Source, filepath.FromSlash(f.Bootstrap)))
	built, code := err == nil, isMain(f.Source)
	if code && (f.Retired || !built) {
		return Go, nil
	}
	if built {
		return Prebuilt, f.checkPrebuilt()
	}
	return "", fmt.Errorf("%s has no %s, no Go code of package main and no Makefile with a target build-%s; build the binary first, or set Metadata: {BuildMethod: %s}",
		f.Source, f.Bootstrap, f.LogicalID, Go)
}

// checkPrebuilt checks that the binary exists and that this machine can run it.
func (f Function) checkPrebuilt() error {
	if isZip(f.Source) {
		return checkArchive(f.Source, f.Bootstrap)
	}
	return checkExecutable(filepath.Join(f.Source, filepath.FromSlash(f.Bootstrap)))
}

func (f Function) checkMakefile() error {
	if f.makefile() == "" {
		return fmt.Errorf("BuildMethod is %s, and %s has no Makefile", Make, f.Source)
	}
	return nil
}

// makefile returns the path of the Makefile, "" without one. The names are GNU make's, in its order.
func (f Function) makefile() string {
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} {
		path := filepath.Join(f.Source, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// hasTarget reports whether the Makefile has the target of the function, or a pattern for it.
func (f Function) hasTarget() bool {
	text, err := os.ReadFile(f.makefile())
	if err != nil {
		return false
	}
	target := regexp.MustCompile(`(?m)^([^#\t:=]*\s)?build-(` + regexp.QuoteMeta(f.LogicalID) + `|%)(\s[^:=]*)?:([^=]|$)`)
	return target.Match(text)
}

func isZip(path string) bool { return strings.EqualFold(filepath.Ext(path), ".zip") }

// isMain reports whether a folder has Go code of package main.
func isMain(dir string) bool {
	p, err := gobuild.ImportDir(dir, 0)
	if none := (*gobuild.NoGoError)(nil); errors.As(err, &none) {
		return false
	}
	return p != nil && p.IsCommand() // the compiler reports other errors
}
