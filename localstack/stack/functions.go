package stack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/provide"
)

// buildAndProvide builds the functions and starts the backing services in parallel. It returns the binaries by function
// name.
func buildAndProvide(ctx context.Context, p *plan, processes *process.Supervisor, term *console.Console, life *life) (map[string]string, *provide.Backing, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var binaries map[string]string
	var backing *provide.Backing
	var buildErr, provideErr error
	var both sync.WaitGroup
	both.Go(func() {
		if binaries, buildErr = buildFunctions(ctx, p, processes, term); buildErr != nil {
			cancel()
		}
	})
	both.Go(func() {
		backing, provideErr = p.services.Start(ctx, provide.Tools{
			Processes: processes, Timed: term.Timed, Log: func(service, line string) { term.Log(service, []byte(line)) },
			Failed: life.fail, Data: p.data, Parameter: p.parameter,
		})
		if provideErr != nil {
			cancel()
		}
	})
	both.Wait()
	if backing != nil {
		life.onStop(backing.Close)
	}
	switch { // drop an error that only follows from the other one
	case errors.Is(provideErr, context.Canceled) && buildErr != nil:
		provideErr = nil
	case errors.Is(buildErr, context.Canceled) && provideErr != nil:
		buildErr = nil
	}
	return binaries, backing, errors.Join(buildErr, provideErr)
}

func buildFunctions(ctx context.Context, p *plan, processes *process.Supervisor, term *console.Console) (binaries map[string]string, err error) {
	var names []string
	for _, f := range p.stack.Functions {
		names = append(names, p.short(f.Name))
	}
	if len(names) == 0 {
		return nil, nil
	}
	dir := filepath.Join(p.data, "functions")
	what := "build "
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		what = "build libraries, "
	}
	err = term.Timed(what+strings.Join(names, ", "), func() (err error) {
		binaries, err = build.Build(ctx, processes, p.builds(), dir)
		return err
	})
	return binaries, err
}

// startFunctions registers the functions with a Lambda service, which starts their environments on demand.
func startFunctions(p *plan, binaries map[string]string, processes *process.Supervisor, profiles func(function, address string),
	term *console.Console, life *life) (*lambda.Service, error) {
	o := lambda.Options{
		Processes: processes, Environment: map[string]string{"AWS_ENDPOINT_URL": p.endpoint},
		Logs: func(function string, line []byte) { term.Log(p.short(function), line) },
		Invoked: func(function string, event, answer []byte, failed bool, took time.Duration) {
			term.Invoked(p.short(function), event, answer, failed, took)
		},
		Freeze: profiles == nil, // a frozen process cannot serve its profile
	}
	if profiles != nil {
		o.Profiles = func(function, address string) { profiles(p.short(function), address) }
	}
	functions, err := lambda.New(o)
	if err != nil {
		return nil, err
	}
	life.onStop(functions.Close)
	for _, f := range p.stack.Functions {
		if err := functions.Add(f, binaries[f.Name]); err != nil {
			return nil, err
		}
	}
	return functions, nil
}

// initFunctions starts one environment of each function. The user then sees at once if a function cannot start, not at
// its first request.
func initFunctions(ctx context.Context, p *plan, functions *lambda.Service, term *console.Console) error {
	return term.Timed("start functions", func() error {
		errs := make([]error, len(p.stack.Functions))
		var all sync.WaitGroup
		for i, f := range p.stack.Functions {
			all.Go(func() { errs[i] = functions.Init(ctx, f.Name) })
		}
		all.Wait()
		return errors.Join(errs...)
	})
}

// short returns the name of a function or queue as the terminal shows it: without the stack's name.
func (p *plan) short(name string) string { return strings.TrimPrefix(name, p.stack.Name+"-") }
