package stack

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// request sends a POST and returns the answer with its body.
func request(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	client := http.Client{Timeout: 20 * time.Second}
	w, err := client.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(body)
}

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

// TestPortsDuringTheStart: what comes before the stack is ready is refused at once, and not done later.
func TestPortsDuringTheStart(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	for _, listen := range []func() error{func() error { return s.listenAWS(t.Context()) }, func() error { return s.listenAPI(t.Context()) }} {
		if err := listen(); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ url, contentType, text, errorType string }{
		"REST API":     {s.apiURL() + "/task", "application/problem+json", "detail", ""},
		"AWS endpoint": {s.awsURL(), "application/json", "message", "ServiceUnavailable"},
	} {
		w, body := request(t, test.url)
		if w.StatusCode != http.StatusServiceUnavailable || w.Header.Get("Retry-After") != "1" ||
			w.Header.Get("Content-Type") != test.contentType || w.Header.Get("X-Amzn-ErrorType") != test.errorType {
			t.Errorf("%s: %d %v; want 503, Retry-After: 1 and %s", name, w.StatusCode, w.Header, test.contentType)
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(body), &members); err != nil || !strings.HasPrefix(members[test.text].(string), "The local stack is starting") {
			t.Errorf("%s: %s; want that the local stack is starting (%v)", name, body, err)
		}
	}

	s.resolved = &spec.Stack{API: &spec.API{}}
	if err := s.serveAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w, body := request(t, s.apiURL()+"/task"); w.StatusCode != http.StatusForbidden || !strings.Contains(body, "Missing Authentication Token") {
		t.Errorf("when it is ready the REST API answers %d %s, want the gateway's own error", w.StatusCode, body)
	}
}

// TestPortWithoutAPI: nobody listens for an API that the template does not have.
func TestPortWithoutAPI(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	if err := s.listenAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	request(t, s.apiURL()) // it serves
	s.resolved = &spec.Stack{}
	if err := s.serveAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", s.api.Addr().String()); err == nil {
		_ = conn.Close()
		t.Errorf("somebody listens at %s", s.api.Addr())
	}
}
