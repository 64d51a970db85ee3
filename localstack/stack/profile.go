package stack

import (
	"context"
	"fmt"
	"net/http"
	_ "net/http/pprof" // into http.DefaultServeMux
	"sync"

	"github.com/eragon-mdi/ksu/localstack/listen"
)

// profiles are the addresses at which profiles are served.
type profiles struct {
	mu    sync.Mutex
	lines []string // for the banner
	// told says that the banner is out, and that what starts later has to be logged.
	told bool
}

// serveProfiles serves those of the local stack itself.
func (s *stack) serveProfiles(context.Context) error {
	if !s.options.Profile {
		return nil
	}
	port, err := listen.Open(listen.Options{
		Shape: listen.Text, AllowHosts: s.options.AllowHosts, Log: s.logOf("pprof"), Failed: func(err error) { s.failed <- err },
	})
	if err != nil {
		return fmt.Errorf("serve profiles: %w", err)
	}
	port.Serve(http.DefaultServeMux)
	s.onStop(closePort(port))
	s.addProfile("the local stack", port.Addr().String())
	return nil
}

// functionProfiles is what takes the addresses of environments, nil where nobody wants them.
func (s *stack) functionProfiles() func(function, address string) {
	if !s.options.Profile {
		return nil
	}
	return func(function, address string) { s.addProfile(s.short(function), address) }
}

func (s *stack) addProfile(of, address string) {
	p := &s.profiles
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("http://%s/debug/pprof/ of %s", address, of)
	if p.told {
		s.console.Step("pprof", "%s", line)
		return
	}
	p.lines = append(p.lines, line)
}

// forBanner returns the lines so far. What comes later is logged.
func (p *profiles) forBanner() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = true
	return p.lines
}
