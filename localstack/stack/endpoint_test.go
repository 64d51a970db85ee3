package stack

import (
	"net"
	"net/http"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// setupStopped is a stack that may take ports, and that the end of the test stops.
func setupStopped(t *testing.T) *stack {
	t.Helper()
	free := 0
	s := setup(t, Options{Port: &free})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func status(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	return answer.StatusCode
}

// TestPortsDuringTheStart checks that both ports answer 503 until the stack is ready.
func TestPortsDuringTheStart(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	for _, listen := range []func() error{func() error { return s.listenAWS(t.Context()) }, func() error { return s.listenAPI(t.Context()) }} {
		if err := listen(); err != nil {
			t.Fatal(err)
		}
	}
	if got := status(t, s.aws.URL()); got != http.StatusServiceUnavailable {
		t.Errorf("the AWS endpoint answers %d during the start; want 503", got)
	}
	if got := status(t, s.api.URL()); got != http.StatusServiceUnavailable {
		t.Errorf("the REST API answers %d during the start; want 503", got)
	}
	s.resolved = &spec.Stack{API: &spec.API{}}
	if err := s.serveAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := status(t, s.api.URL()); got != http.StatusForbidden {
		t.Errorf("the ready REST API answers %d; want 403, the gateway's own error", got)
	}
}

// TestPortWithoutAPI checks that the port is free when the template has no API.
func TestPortWithoutAPI(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	if err := s.listenAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	status(t, s.api.URL()) // it serves
	s.resolved = &spec.Stack{}
	if err := s.serveAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", s.api.Addr().String()); err == nil {
		_ = conn.Close()
		t.Errorf("%s is still taken", s.api.Addr())
	}
}
