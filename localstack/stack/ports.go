package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/gateway"
	"github.com/eragon-mdi/ksu/localstack/httpapi"
	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// lockData locks the data folder for this process, before anything is written to it. The kernel releases the lock,
// however the process ends.
func lockData(o Options, life *life) error {
	dir, err := o.dataFolder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("the data folder %s is in use by another local stack; stop it or choose another folder with --data", dir)
		}
		return fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	life.onStop(func(context.Context) error { return lock.Close() })
	return nil
}

// ports are the two ports of a stack.
type ports struct{ api, aws *listen.Port }

// openPorts takes the ports before any other part starts, since a start without them fails. Until the stack is ready,
// they answer that it is starting.
func openPorts(o Options, term *console.Console, life *life) (ports, error) {
	open := func(what, option string, options listen.Options) (*listen.Port, error) {
		options.AllowHosts, options.Log, options.Failed = o.AllowHosts, logOf(term, "http"), life.fail
		port, err := listen.Open(options)
		if err != nil {
			return nil, fmt.Errorf("%s cannot listen: %w; free the port or choose another with %s, 0 for any free one", what, err, option)
		}
		life.onStop(closePort(port))
		return port, nil
	}
	aws, awsErr := open("the AWS endpoint", "--aws-port", listen.Options{Port: o.AWSPort, Shape: listen.AWS})
	api, apiErr := open("the REST API", "--port", listen.Options{Port: o.Port, Timeouts: o.Timeouts})
	return ports{api: api, aws: aws}, errors.Join(awsErr, apiErr)
}

// closePort releases a port; open requests get some time. A second call does nothing.
func closePort(port *listen.Port) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		return port.Close(ctx)
	}
}

// serveAPI serves the REST API. If the template has none, it releases the port.
func serveAPI(ctx context.Context, p *plan, port *listen.Port, functions *lambda.Service, term *console.Console, life *life) error {
	log := func(m string) { term.Step("gateway", "%s", m) }
	var handler http.Handler
	switch {
	case p.stack.HTTPAPI != nil:
		handler = httpapi.New(*p.stack.HTTPAPI, functions, httpapi.Options{Log: log})
	case p.stack.API != nil:
		var err error
		if handler, err = gateway.New(*p.stack.API, functions, gateway.Options{Log: log}); err != nil {
			return err
		}
	default:
		return closePort(port)(ctx)
	}
	port.Serve(handler)
	life.onStop(closePort(port)) // before the functions end
	return nil
}
