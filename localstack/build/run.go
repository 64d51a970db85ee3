package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// parallel bounds the go commands that run at once; each of them uses all processors by itself.
const parallel = 2

// temporaryPrefix begins the names of the temporary folders in an output folder.
const temporaryPrefix = ".build-"

// failure is what the go command said about packages that it could not build.
type failure struct {
	packages []*pkg
	output   string
}

// run runs the batches.
func run(ctx context.Context, processes *process.Supervisor, batches []*batch, outDir string) error {
	// The go command links in a temporary folder and renames the result, if both are in one file system;
	// otherwise it would remove the former binary and copy the new one.
	if err := os.MkdirAll(outDir, 0o700); err != nil {
		return fmt.Errorf("build the functions: %w", err)
	}
	if err := removeLeftovers(outDir); err != nil {
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

// removeLeftovers removes what builds left that were killed together with their stack.
func removeLeftovers(outDir string) error {
	entries, err := os.ReadDir(outDir)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), temporaryPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(outDir, entry.Name())))
		}
	}
	return err
}

// each calls build for all batches, a few at once, and returns all failures in the order of the batches.
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

// build runs the go command. If that fails for several packages, it builds them again one by one, the good
// ones from the cache, to tell who failed.
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
		return []failure{{packages: b.packages, output: output}} // together only, whatever the reason
	}
	return failures
}

// command runs the go command and returns what it printed.
func (b *batch) command(ctx context.Context, processes *process.Supervisor, temporary string) (string, error) {
	// The state of the repository, which the go command writes into binaries, would make it link them again
	// after each commit.
	args := []string{"build", "-buildvcs=false", "-o", b.output}
	for _, p := range b.packages {
		args = append(args, p.dir)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOTMPDIR="+temporary)
	// On an interrupt the go command waits for its compilers, which end too, and removes its temporary files.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// SIGTERM ends all at once, also where whoever started the local stack made it ignore SIGINT, as a shell's & does.
	err := processes.Run(cmd, syscall.SIGTERM)
	if err != nil && output.Len() == 0 {
		return err.Error(), err
	}
	return strings.TrimSpace(output.String()), err
}

// explain makes one error of the failures; packages that failed for the same reason, such as an error in
// a package that they share, are named together.
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
