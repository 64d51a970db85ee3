package stack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/build"
	"github.com/eragon-mdi/ksu/localstack/lambda"
)

// functionsToBuild are what the template's functions are built from.
func (s *stack) functionsToBuild() ([]build.Function, error) {
	resolved, err := s.template.Resolve(s.templateOptions("http://127.0.0.1:4566"))
	if err != nil {
		return nil, err
	}
	var functions []build.Function
	for _, f := range resolved.Functions {
		functions = append(functions, build.Function{Name: f.Name, Dir: f.Source, BuildMethod: f.BuildMethod})
	}
	return functions, nil
}

func (s *stack) buildFunctions(ctx context.Context, functions []build.Function) error {
	dir, err := s.options.dataPath("functions")
	if err != nil {
		return err
	}
	var names []string
	for _, f := range functions {
		names = append(names, s.short(f.Name))
	}
	what := "build "
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		what = "build libraries, "
	}
	what += strings.Join(names, ", ")
	return s.console.Timed(what, func() (err error) {
		s.binaries, err = build.Build(ctx, s.processes, functions, dir)
		return err
	})
}

func (s *stack) startFunctions(context.Context) error {
	variables, err := s.variables(s.resolved)
	if err != nil {
		return err
	}
	variables["AWS_ENDPOINT_URL"] = s.aws.URL()
	functions, err := lambda.New(lambda.Options{
		Processes: s.processes,
		Logs:      func(function string, line []byte) { s.console.Log(s.short(function), line) },
		Invoked: func(function string, event, answer []byte, failed bool, took time.Duration) {
			s.console.Invoked(s.short(function), event, answer, failed, took)
		},
		Environment: variables, Profiles: s.functionProfiles(),
		Freeze: !s.options.Profile, // a frozen process answers nobody who wants its profile
	})
	if err != nil {
		return err
	}
	s.functions = functions
	s.onStop(functions.Close)
	for _, f := range s.resolved.Functions {
		if err := functions.Add(f, s.binaries[f.Name]); err != nil {
			return err
		}
	}
	return nil
}

// initFunctions starts one environment of each function, so that one which cannot start is seen now and not at its
// first request.
func (s *stack) initFunctions(ctx context.Context) error {
	return s.console.Timed("start functions", func() error {
		errs := make([]error, len(s.resolved.Functions))
		var all sync.WaitGroup
		for i, f := range s.resolved.Functions {
			all.Go(func() { errs[i] = s.functions.Init(ctx, f.Name) })
		}
		all.Wait()
		return errors.Join(errs...)
	})
}

// short is a function's name as the log shows it: without the stack's name in front.
func (s *stack) short(function string) string { return strings.TrimPrefix(function, stackName+"-") }
