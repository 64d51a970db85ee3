// Package provide gives an application the backing services that its template's Metadata.Local.Provide requests. A
// service is a server that the user names, a private server from installed programs, or substitute values. The
// application sees only the template's parameters.
//
// Decide chooses before anything starts, so that the plan is complete. Plan.Start starts the services.
package provide

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/services/clickhouse"
	"github.com/eragon-mdi/ksu/localstack/services/postgres"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// The choices for a service, besides the address of a server.
const (
	// Auto takes the server that a parameter names, else an installed one, else the values of Else.
	Auto = "auto"
	// On is Auto without Else.
	On = "on"
	// Off takes the values of Else.
	Off = "off"
)

// Options are the input of Decide.
type Options struct {
	// Choices are Auto, On, Off or the address of a server, by service: the flags --provide. A service without a choice
	// is Auto. An Optional one is the server that a parameter names, else Off.
	Choices map[string]string
	// Given are the template's parameters that the user sets. They take precedence over a service's values.
	Given map[string]spec.Value
	// Data is the absolute path of the data folder.
	Data string
	// Name is the name of the stack, under which a private server keeps its data.
	Name string
}

// Plan is the decision for every service of a template. The zero value has no services.
type Plan struct {
	// Parameters are the template's parameters, including Options.Given.
	Parameters map[string]spec.Value
	// Warnings name data of earlier runs that this run does not use.
	Warnings []string

	services []*service
}

// service is the decision for one service.
type service struct {
	spec.Provide
	kind
	values    map[string]string // the service's values, by parameter
	what, why string            // for people; what is "" for a private server until it runs
	start     func(context.Context, Tools) (running, error)
	release   func() // gives back the reservation; nil without one
}

// kind is what differs between services.
type kind interface {
	// reserve prepares a private server with its data in dir. name is the name of the application's part in it.
	reserve(dir, name string) (private, error)
	// parse reads the address of a server. It returns the values of the address, and its text for the user.
	parse(address string) (values map[string]string, shown string, err error)
	// wait waits for a server that the local stack did not start.
	wait(ctx context.Context, address string, tools Tools) error
	title() string
	// url returns the connection string of a server. value returns each of its values, "" if it is unknown.
	url(value func(name string) string) string
	hasData(dir string) bool
	// essential reports whether the stack ends when its private server ends.
	essential() bool
}

// private is a private server that has not started.
type private interface {
	values() map[string]string
	start(ctx context.Context, tools Tools) (running, error)
	release()
}

// running is a started private server.
type running interface {
	What() string
	Done() <-chan struct{}
	Err() error
	Close(context.Context) error
}

// notInstalled reports whether an error means that this machine lacks the service's program.
func notInstalled(err error) bool {
	return errors.Is(err, postgres.ErrNotInstalled) || errors.Is(err, clickhouse.ErrNotInstalled)
}

var kinds = map[string]kind{"clickhouse": clickHouse{}, "postgres": postgreSQL{}}

// Decide chooses each requested service. The error lists everything that is wrong. The caller ends the plan with
// Release.
func Decide(requests []spec.Provide, o Options) (*Plan, error) { return decide(requests, o, kinds) }

func decide(requests []spec.Provide, o Options, kinds map[string]kind) (*Plan, error) {
	p := &Plan{Parameters: maps.Clone(o.Given)}
	if p.Parameters == nil {
		p.Parameters = map[string]spec.Value{}
	}
	errs := unknownChoices(requests, o.Choices)
	for _, request := range requests {
		s := &service{Provide: request, kind: kinds[request.Service]}
		if err := s.decide(o); err != nil {
			errs = append(errs, err)
			continue
		}
		p.services = append(p.services, s)
		for parameter, value := range s.values {
			if p.Parameters[parameter].Text == "" { // the user's value takes precedence, unless it is empty
				p.Parameters[parameter] = spec.Value{Text: value, Source: s.Service}
			}
		}
		p.Warnings = append(p.Warnings, s.unseen(o)...)
	}
	if len(errs) > 0 {
		p.Release()
		return nil, errors.Join(errs...)
	}
	return p, nil
}

// unknownChoices refuses choices for services that the template does not request.
func unknownChoices(requests []spec.Provide, choices map[string]string) (errs []error) {
	var asked []string
	for _, r := range requests {
		asked = append(asked, r.Service)
	}
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		if !slices.Contains(asked, name) {
			known := "the template requests no service in Metadata.Local.Provide"
			if len(asked) > 0 {
				known = "the template requests " + strings.Join(asked, ", ")
			}
			errs = append(errs, fmt.Errorf("--provide %s=%s: %s", name, choices[name], known))
		}
	}
	return errs
}

func (s *service) decide(o Options) error {
	choice, chosen := o.Choices[s.Service]
	given := o.Given[s.Address()]
	dir := filepath.Join(o.Data, s.Service)
	switch {
	case choice == Off:
		return s.without(o, "--provide "+s.Service+"=off")
	case chosen && choice != Auto && choice != On:
		return s.use(choice, flagName)
	case given.Text != "":
		return s.use(given.Text, given.Source)
	case !chosen && s.Optional:
		return s.without(o, "--provide "+s.Service+"=auto starts one")
	}
	reserved, err := s.reserve(dir, o.Name)
	if notInstalled(err) && choice != On && s.Else != nil {
		return s.without(o, "it is not installed, and no address is given")
	}
	if notInstalled(err) {
		return fmt.Errorf("%s: %w%s", s.Place, err, s.doWithout())
	}
	if err != nil {
		return err
	}
	s.fill(reserved.values())
	s.why, s.start, s.release = "installed", reserved.start, reserved.release
	if choice == On {
		s.why = "--provide " + s.Service + "=on"
	}
	return nil
}

// doWithout is the line of an error that says how to run without the service.
func (s *service) doWithout() string {
	if s.Else == nil && !s.Optional {
		return ""
	}
	return fmt.Sprintf("\n  - do without: --provide %s=off", s.Service)
}

// without takes the values of Else.
func (s *service) without(o Options, why string) error {
	if s.Else == nil && !s.Optional {
		return fmt.Errorf("--provide %s=off: the template requires it: %s has no Else", s.Service, s.Place)
	}
	s.values = map[string]string{}
	for parameter, value := range s.Else {
		s.values[parameter] = strings.ReplaceAll(value, dataVariable, o.Data)
	}
	s.what, s.why = "off", why
	if path := s.elsePath(o); path != "" {
		s.what = "off, " + path + " instead"
	}
	return nil
}

// flagName is the flag with which a user names a server.
const flagName = "--provide"

// use takes a server that the local stack did not start. source is where its address stands.
func (s *service) use(address, source string) error {
	values, shown, err := s.parse(address)
	s.what = fmt.Sprintf("%s of %s, %s", s.title(), source, shown)
	if err != nil {
		if source == flagName {
			err = fmt.Errorf("%w; allowed are %s, %s and %s as well", err, Auto, On, Off)
		}
		return fmt.Errorf("%s: %w", s.what, err)
	}
	s.start = func(ctx context.Context, tools Tools) (running, error) {
		if err := s.wait(ctx, address, tools); err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("%s, cannot be reached: %w; start it or correct the address%s", s.what, err, s.doWithout())
		}
		return nil, ctx.Err()
	}
	if source == flagName { // a given parameter fills only itself
		s.fill(values)
	}
	return nil
}

// fill sets the requested parameters. An unknown value leaves its parameter unchanged.
func (s *service) fill(values map[string]string) {
	s.values = map[string]string{}
	for parameter, name := range s.Parameters {
		if value, known := values[name]; known {
			s.values[parameter] = value
		}
	}
}

// Release gives back Decide's reservations, except those that were started.
func (p *Plan) Release() {
	for _, s := range p.services {
		if s.release != nil {
			s.release()
		}
	}
}
