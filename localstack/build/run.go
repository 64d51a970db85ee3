package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// parallel is the maximum number of go commands at a time. Each of them uses all processors.
const parallel = 2

// temporaryPrefix is the prefix of temporary folders in an output folder.
const temporaryPrefix = ".build-"

// failure is the output of the go command for packages that it could not build.
type failure struct {
	packages []*pkg
	output   string
}

// run runs the batches.
func run(ctx context.Context, processes *process.Supervisor, batches []*batch, outDir string) error {
	// The go command links in a temporary folder. If that is in the same file system, it renames the result; otherwise it
	// removes the old binary and copies the new one.
	if err := os.MkdirAll(outDir, 0o700); err != nil {
		return fmt.Errorf("build the functions: %w", err)
	}
	temporary, err := os.MkdirTemp(outDir, temporaryPrefix)
	if err != nil {
		return fmt.Errorf("build the functions: %w", err)
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	failures := each(batches, func(b *batch) []failure { return b.build(ctx, processes, temporary) })
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("build the functions: %w", err)
	}
	return explain(failures)
}

// removeLeftovers removes the temporary folders of builds that were killed together with their stack.
func removeLeftovers(outDir string) error {
	entries, err := os.ReadDir(outDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), temporaryPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(outDir, entry.Name())))
		}
	}
	return err
}

// each calls build for all batches, a few at a time, and returns the failures in the order of the batches.
func each(batches []*batch, build func(*batch) []failure) []failure {
	results := make([][]failure, len(batches))
	slots := make(chan struct{}, parallel)
	var running sync.WaitGroup
	for i, b := range batches {
		running.Go(func() {
			slots <- struct{}{}
			results[i] = build(b)
			<-slots
		})
	}
	running.Wait()
	var all []failure
	for _, r := range results {
		all = append(all, r...)
	}
	return all
}

// build runs the go command. If the command fails for several packages, build runs it for each of them to learn which ones
// fail; the others come from the cache.
func (b *batch) build(ctx context.Context, processes *process.Supervisor, temporary string) []failure {
	output, err := b.command(ctx, processes, temporary)
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case len(b.packages) == 1:
		return []failure{{packages: b.packages, output: output}}
	}
	var failures []failure
	for _, p := range b.packages {
		one := &batch{dir: b.dir, output: b.output, packages: []*pkg{p}}
		failures = append(failures, one.build(ctx, processes, temporary)...)
	}
	if len(failures) == 0 && ctx.Err() == nil {
		return []failure{{packages: b.packages, output: output}} // they fail only together
	}
	return failures
}

// command runs the go command and returns its output.
func (b *batch) command(ctx context.Context, processes *process.Supervisor, temporary string) (string, error) {
	// With -buildvcs, the go command would write the commit into binaries and link them again after each commit.
	args := []string{"build", "-buildvcs=false", "-o", b.output}
	for _, p := range b.packages {
		args = append(args, p.dir)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOTMPDIR="+temporary)
	// On SIGINT, the go command waits for its compilers, which end too, and removes its temporary files.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// SIGTERM also ends processes that ignore SIGINT, as those that a shell starts with & do.
	err := processes.Run(cmd, syscall.SIGTERM)
	if err != nil && output.Len() == 0 {
		return err.Error(), err
	}
	return strings.TrimSpace(output.String()), err
}

// explain joins the failures. It names packages together that fail for the same reason, such as an error in a shared
// package.
func explain(failures []failure) error {
	var errs []error
	var merged []failure
next:
	for _, f := range failures {
		for i := range merged {
			if merged[i].output == f.output {
				merged[i].packages = slices.Concat(merged[i].packages, f.packages)
				continue next
			}
		}
		merged = append(merged, f)
	}
	for _, f := range merged {
		var names []string
		for _, p := range f.packages {
			names = append(names, p.String())
		}
		errs = append(errs, fmt.Errorf("%s cannot be built:\n%s", strings.Join(names, ", "), f.output))
	}
	return errors.Join(errs...)
}
