package provide

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/process"
)

// Tools are what Start uses from the stack.
type Tools struct {
	// Processes starts the servers.
	Processes *process.Supervisor
	// Timed runs a long step, and tells the user.
	Timed func(what string, do func() error) error
	// Log gets the lines of a service, by its name.
	Log func(service, line string)
	// Failed gets the error of an essential server that ended by itself.
	Failed func(error)
	// Data is the absolute path of the data folder.
	Data string
	// Parameter returns the final value of a parameter of the template.
	Parameter func(name string) string
}

// Backing is the running services. The zero value has none.
type Backing struct {
	// Rows tell the user, by service, which server it is and why.
	Rows []Row

	closers []func(context.Context) error
}

// Row is one line about a service.
type Row struct{ Service, Text string }

// Start starts the private servers and waits for those that the user named. If it fails, it leaves no server running.
func (p *Plan) Start(ctx context.Context, tools Tools) (*Backing, error) {
	b := &Backing{}
	servers, errs := make([]running, len(p.services)), make([]error, len(p.services))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for i, s := range p.services {
		if s.start == nil {
			continue
		}
		all.Go(func() {
			if servers[i], errs[i] = s.start(ctx, tools); errs[i] != nil {
				cancel() // nobody waits for the others then
			}
		})
	}
	all.Wait()
	for i, s := range p.services {
		if errs[i] == nil && servers[i] != nil {
			b.closers = append(b.closers, servers[i].Close)
			go s.watch(servers[i], tools)
		}
		b.Rows = append(b.Rows, Row{s.Service, s.text(servers[i])})
	}
	if err := errors.Join(withoutCanceled(errs)...); err != nil {
		return nil, errors.Join(err, b.Close(context.WithoutCancel(ctx)))
	}
	remove, err := p.publish(tools)
	if err != nil {
		return nil, errors.Join(err, b.Close(context.WithoutCancel(ctx)))
	}
	b.closers = append(b.closers, func(context.Context) error { return remove() })
	return b, nil
}

// withoutCanceled drops the errors of services that were interrupted because another one failed.
func withoutCanceled(errs []error) []error {
	if errors.Join(errs...) == nil {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil || errors.Is(err, context.Canceled) })
	if len(rest) == 0 {
		return errs
	}
	return rest
}

// text describes a service for the user.
func (s *service) text(r running) string {
	what := s.what
	if r != nil {
		what = r.What()
	}
	if s.why == "" {
		return what
	}
	return what + " (" + s.why + ")"
}

// watch reports a private server that ends by itself.
func (s *service) watch(r running, tools Tools) {
	<-r.Done()
	err := r.Err()
	switch {
	case err == nil:
	case s.essential():
		tools.Failed(err)
	default: // the application goes on without it
		tools.Log(s.Service, err.Error())
		tools.Log(s.Service, "it stays down until the next start")
	}
}

// Close ends the private servers.
func (b *Backing) Close(ctx context.Context) error {
	errs := make([]error, len(b.closers))
	var all sync.WaitGroup
	for i, closeOne := range b.closers {
		all.Go(func() { errs[i] = closeOne(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// patience is how long to wait for a server that does not answer: a server that was just started needs some seconds.
const patience = 10 * time.Second
