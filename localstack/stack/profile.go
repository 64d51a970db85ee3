package stack

import (
	"fmt"
	"net/http"
	_ "net/http/pprof" // into http.DefaultServeMux

	"github.com/eragon-mdi/ksu/localstack/console"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// serveProfiles serves the profiles of the local stack itself. It returns a function that tells the user the address of
// an environment's profiles, nil if profiles are off.
func serveProfiles(o Options, term *console.Console, life *life) (func(of, address string), error) {
	if !o.Profile {
		return nil, nil
	}
	port, err := listen.Open(listen.Options{Shape: listen.Text, AllowHosts: o.AllowHosts, Log: logOf(term, "http"), Failed: life.fail})
	if err != nil {
		return nil, fmt.Errorf("serve profiles: %w", err)
	}
	life.onStop(closePort(port))
	port.Serve(http.DefaultServeMux)
	profiles := func(of, address string) { term.Step("pprof", "http://%s/debug/pprof/ of %s", address, of) }
	profiles("the local stack", port.Addr().String())
	return profiles, nil
}
