package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// ErrNoMake reports that the make command is missing.
var ErrNoMake = errors.New("no make command on the PATH, which BuildMethod makefile needs")

// runMake runs the Makefile targets of functions, one after the other: targets of one Makefile may share files. It returns
// the binaries by function name.
//
// The Makefile runs in the folder of the code. It gets ARTIFACTS_DIR as a variable of make and of the environment. The
// folder is empty at first; what the target writes there is the code of the function.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-custom-runtimes.html.
func runMake(ctx context.Context, processes *process.Supervisor, functions []Function, outDir string) (map[string]string, error) {
	if len(functions) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath("make"); err != nil {
		return nil, ErrNoMake
	}
	binaries := map[string]string{}
	var errs []error
	for _, f := range functions {
		dir, err := f.replaceCode(outDir, func(artifacts string) error {
			if err := f.make(ctx, processes, artifacts); err != nil {
				return err
			}
			return checkExecutable(filepath.Join(artifacts, f.Bootstrap))
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("function %s (%s) cannot be built: %w", f.Name, f.Source, err))
			continue
		}
		binaries[f.Name] = filepath.Join(dir, f.Bootstrap)
	}
	return binaries, errors.Join(errs...)
}

func (f Function) make(ctx context.Context, processes *process.Supervisor, artifacts string) error {
	variable := "ARTIFACTS_DIR=" + artifacts
	target := "build-" + f.LogicalID
	cmd := exec.CommandContext(ctx, "make", target, variable)
	cmd.Dir, cmd.Env = f.Source, append(withoutMake(os.Environ()), variable)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := processes.Run(cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("make %s: %w\n%s", target, err, strings.TrimSpace(output.String()))
	}
	return nil
}

// withoutMake returns an environment without the flags and variables of a make that started the local stack: they are not
// the function's. See https://www.gnu.org/software/make/manual/html_node/Options_002fRecursion.html.
func withoutMake(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}, name)
	})
}

// takePrebuilt returns the binaries of functions whose code is built already, by function name. It unpacks zip files.
func takePrebuilt(functions []Function, outDir string) (map[string]string, error) {
	binaries := map[string]string{}
	var errs []error
	for _, f := range functions {
		dir, err := f.Source, error(nil)
		if isZip(f.Source) {
			dir, err = f.replaceCode(outDir, func(dir string) error { return unzip(f.Source, dir) })
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("function %s: %w", f.Name, err))
			continue
		}
		if binaries[f.Name], err = filepath.Abs(filepath.Join(dir, filepath.FromSlash(f.Bootstrap))); err != nil {
			errs = append(errs, fmt.Errorf("function %s: %w", f.Name, err))
		}
	}
	return binaries, errors.Join(errs...)
}

// replaceCode lets write fill a new folder, and puts that in the place of the function's former one.
func (f Function) replaceCode(outDir string, write func(dir string) error) (string, error) {
	if err := os.MkdirAll(outDir, 0o700); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(outDir, temporaryPrefix)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	if err := write(fresh); err != nil {
		return "", err
	}
	dir := filepath.Join(outDir, f.LogicalID+".code")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.Rename(fresh, dir)
}
