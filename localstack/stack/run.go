// Package stack runs a template. It makes the plan, starts the backing services and the emulators in order, tells the
// user where they are, and ends them again.
package stack

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/customresource"
	"github.com/eragon-mdi/ksu/localstack/endpoint"
	"github.com/eragon-mdi/ksu/localstack/process"
	"github.com/eragon-mdi/ksu/localstack/template"
)

// Run runs the stack until ctx ends, and then ends everything that it started. It writes its progress, the banner and
// the functions' logs to out. It fails if the stack could not start, or if a part ended by itself.
func Run(ctx context.Context, o Options, out io.Writer) error {
	if o.Check {
		return check(o)
	}
	term, life := console.New(out, console.Options{Level: o.LogLevel, Now: time.Now}), newLife()
	err := start(ctx, o, term, life)
	if err == nil {
		err = life.wait(ctx)
	} else if ctx.Err() != nil {
		err = nil // the user stopped the start
	}
	if life.begun {
		term.Step("stack", "stopping")
	}
	return errors.Join(err, life.stop())
}

// start makes the plan, starts its parts in order, and says where they are.
func start(ctx context.Context, o Options, term *console.Console, life *life) error {
	began := time.Now()
	t, err := interruptible(ctx, func() (*template.Template, error) { return template.Parse(o.Template) })
	if err != nil {
		return err
	}
	if err := lockData(o, life); err != nil {
		return err
	}
	ports, err := openPorts(o, term, life)
	if err != nil {
		return err
	}
	plan, err := interruptible(ctx, func() (*plan, error) { return newPlan(t, o, ports.aws.URL()) })
	if err != nil {
		return err
	}
	life.onStop(func(context.Context) error { plan.services.Release(); return nil })
	processes, err := process.Start()
	if err != nil {
		return err
	}
	life.onStop(func(context.Context) error { return processes.Close() })
	life.begun = true
	tell(term, plan)
	profiles, err := serveProfiles(o, term, life)
	if err != nil {
		return err
	}
	binaries, backing, err := buildAndProvide(ctx, plan, processes, term, life)
	if err != nil {
		return err
	}
	queues, err := startQueues(plan, life)
	if err != nil {
		return err
	}
	life.onStop(closePort(ports.aws)) // after the functions, which may send messages until their end
	functions, err := startFunctions(plan, binaries, processes, profiles, term, life)
	if err != nil {
		return err
	}
	resources := customresource.New(functions, plan.endpoint)
	ports.aws.Serve(endpoint.Handler(queues.Handler(), functions.Handler(), resources))
	missing, err := createResources(ctx, plan, resources, term)
	if err != nil {
		return err
	}
	if err := initFunctions(ctx, plan, functions, term); err != nil {
		return err
	}
	if err := startMappings(plan, queues, functions, term, life); err != nil {
		return err
	}
	startSchedules(plan, functions, term, life)
	if err := serveAPI(ctx, plan, ports.api, functions, term, life); err != nil {
		return err
	}
	term.Step("stack", "ready in %s", time.Since(began).Round(time.Millisecond))
	term.Print(banner(plan, backing, missing, ports))
	return nil
}

// tell warns the user before the start: about data of earlier runs that this run does not use, and about what is not
// emulated.
func tell(term *console.Console, p *plan) {
	for _, warning := range slices.Concat(p.services.Warnings, p.stack.Warnings) {
		term.Step("warning", "%s", warning)
	}
	for _, line := range p.stack.NotEmulated {
		term.Step("stack", "not emulated: %s", line)
	}
}

// logOf returns a function that writes messages of a part of the stack, under its name.
func logOf(term *console.Console, part string) func(format string, args ...any) {
	return func(format string, args ...any) { term.Step(part, format, args...) }
}
