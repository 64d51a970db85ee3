package listen

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestUntilServe checks that requests during the start are refused at once and in the port's form.
func TestUntilServe(t *testing.T) {
	t.Parallel()
	for shape, text := range map[Shape]string{REST: "message", AWS: "message"} {
		b := setup(t, Options{Shape: shape}, nil)
		got := b.raw("POST /item HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", false)
		var members map[string]string
		if err := json.Unmarshal([]byte(got.body), &members); err != nil || !strings.HasPrefix(members[text], "The local stack is starting") {
			t.Errorf("shape %d: %s; want that the local stack is starting (%v)", shape, got.body, err)
		}
		if got.StatusCode != 503 || got.Header.Get("Retry-After") != "1" {
			t.Errorf("shape %d: %d %v; want 503 and Retry-After: 1", shape, got.StatusCode, got.Header)
		}
		b.port.Serve(ok)
		if got := b.raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false); got.StatusCode != 202 {
			t.Errorf("shape %d: the ready port answers %d", shape, got.StatusCode)
		}
	}
}

// TestEveryRequestGetsAStatus checks handlers that write no status.
func TestEveryRequestGetsAStatus(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		status  int // 0 means a cut connection
		logged  string
	}{
		"writes nothing":       {func(http.ResponseWriter, *http.Request) {}, 500, "GET /a%20b: handler ended without a status"},
		"sets a header only":   {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "1") }, 500, "handler ended without a status"},
		"interim status only":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103) }, 500, "handler ended without a status"},
		"panics":               {func(http.ResponseWriter, *http.Request) { panic("boom") }, 500, "handler panicked: boom"},
		"aborts":               {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, ""},
		"panics in the answer": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a"); panic("boom") }, 0, "handler panicked: boom"},
		"writes a body":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a") }, 200, ""},
		"flushes":              {func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }, 200, ""},
		"writes a status":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			logged := ""
			b := setup(t, Options{Log: func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				logged += fmt.Sprintf(format, args...)
			}}, test.handler)
			r, err := http.Get(b.port.URL() + "/a%20b")
			if (err == nil) != (test.status != 0) {
				t.Fatalf("error %v; want status %d", err, test.status)
			}
			if err == nil {
				body, _ := io.ReadAll(r.Body)
				_ = r.Body.Close()
				if r.StatusCode != test.status || test.status == 500 && string(body) != `{"message":"Internal server error"}` {
					t.Errorf("answer %d %s; want %d", r.StatusCode, body, test.status)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if !strings.Contains(logged, test.logged) || test.logged == "" && logged != "" {
				t.Errorf("logged %q; want %q", logged, test.logged)
			}
		})
	}
}

func TestPortThatIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{}, ok)
	if port, err := Open(Options{Port: b.port.Addr().(*net.TCPAddr).Port}); err == nil {
		_ = port.Close(t.Context())
		t.Error("a port is taken twice")
	}
}

// TestClose checks that requests in progress get their answer, and that slow ones are cut off.
func TestClose(t *testing.T) {
	t.Parallel()
	started, goOn := make(chan struct{}), make(chan struct{})
	b := setup(t, Options{Failed: func(err error) { t.Errorf("closing is a failure: %v", err) }}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-goOn
		w.WriteHeader(http.StatusAccepted)
	}))
	answered := make(chan error, 1)
	go func() {
		r, err := http.Get(b.port.URL())
		if err == nil {
			err = r.Body.Close()
		}
		answered <- err
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.port.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-answered; err == nil {
		t.Error("a request that takes too long is answered after the end")
	}
	close(goOn)
	if err := b.port.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
