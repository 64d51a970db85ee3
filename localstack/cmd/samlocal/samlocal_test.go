package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAddressesMoveToTheHost(t *testing.T) {
	t.Parallel()
	got := map[string]string{
		"DB_URL":       "postgres://u:p%40ss@127.0.0.1:5432/app?sslmode=disable",
		"QUEUE_URL":    "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/queue",
		"LOGS_ADDRESS": "localhost:9000,127.0.0.1:9001,away:9002",
		"ELSEWHERE":    "postgres://postgres:5432/app",
		"REMOTE":       "https://example.com:443/",
		"LOG_LEVEL":    "info",
		"EMPTY":        "",
	}
	ports := moveToHost(got)
	slices.Sort(ports)
	if want := []string{"4566", "5432", "9000", "9001"}; !slices.Equal(ports, want) {
		t.Errorf("ports %q, want %q", ports, want)
	}
	want := map[string]string{
		"DB_URL":       "postgres://u:p%40ss@host.docker.internal:5432/app?sslmode=disable",
		"QUEUE_URL":    "http://host.docker.internal:4566/000000000000/queue",
		"LOGS_ADDRESS": "host.docker.internal:9000,host.docker.internal:9001,away:9002",
		"ELSEWHERE":    "postgres://postgres:5432/app",
		"REMOTE":       "https://example.com:443/",
		"LOG_LEVEL":    "info",
		"EMPTY":        "",
	}
	if !maps.Equal(got, want) {
		t.Errorf("variables %q, want %q", got, want)
	}
}

// serve answers ListFunctions.
func serve(t *testing.T, status int, body string) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2015-03-31/functions" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestVariablesOfARunningStack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		body, want string // want is a part of the error; "" means success
	}{
		"both names": {200, `{"Functions":[{"FunctionName":"app-ApiFunction","Environment":{"Variables":{"A":"1"}}},
			{"FunctionName":"app-WorkerFunction-8f2c","Environment":{"Variables":{"B":"2"}}},{"FunctionName":"other"}]}`, ""},
		"no functions": {200, `{"Functions":[]}`, "no functions"},
		"refused":      {403, `no`, "403 Forbidden: no"},
		"not JSON":     {200, `<html>`, "list the functions: invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := variables(t.Context(), serve(t, c.status, c.body))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %s", err, c.want)
				}
				return
			}
			if err != nil || len(got) != 2 || got["ApiFunction"]["A"] != "1" || got["WorkerFunction"]["B"] != "2" {
				t.Errorf("%v, error %v", got, err)
			}
		})
	}
}

func TestStackThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := run(t.Context(), []string{"-aws", server.URL, "-env", filepath.Join(t.TempDir(), "env.json"), "-hint", "start one", "true"})
	if !errors.Is(err, errNoStack) || !strings.HasSuffix(err.Error(), "; start one") {
		t.Errorf("error %v", err)
	}
}

func TestRefusedVariable(t *testing.T) {
	t.Parallel()
	endpoint := serve(t, 200, `{"Functions":[{"FunctionName":"app-ApiFunction","Environment":{"Variables":{"STORAGE":"file"}}}]}`)
	file := filepath.Join(t.TempDir(), "env.json")
	for refused, want := range map[string]string{
		"STORAGE=file: containers cannot share it": "function ApiFunction has STORAGE=file: containers cannot share it",
		"STORAGE=other: not here":                  "",
		"OTHER=: not here":                         "",
	} {
		err := run(t.Context(), []string{"-aws", endpoint, "-env", file, "-refuse", refused, "true"})
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v; want %s", refused, err, want)
		}
	}
	for _, malformed := range []string{"", "STORAGE", "STORAGE=file", "=file: reason", "STORAGE: reason"} {
		if err := new(refusals).Set(malformed); err == nil {
			t.Errorf("-refuse %q is taken", malformed)
		}
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env.json")
	if err := write(file, map[string]map[string]string{"ApiFunction": {"A": "1"}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	var got map[string]map[string]string
	if err != nil || json.Unmarshal(text, &got) != nil || got["ApiFunction"]["A"] != "1" {
		t.Errorf("%s, error %v", text, err)
	}
}

// TestForwarding sends through a forwarded port, half-closes one end, and ends the forwarding with a connection open.
func TestForwarding(t *testing.T) {
	t.Parallel()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	go func() {
		for {
			conn, err := target.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				text, _ := io.ReadAll(conn)
				_, _ = conn.Write([]byte(strings.ToUpper(string(text))))
			}()
		}
	}()
	f := &forwarding{}
	f.ctx, f.stop = context.WithCancel(t.Context())
	if err := f.listen("127.0.0.1:0", target.Addr().String()); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, f)
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); string(text) != "HELLO" {
		t.Errorf("received %q, error %v", text, err)
	}
	idle := dial(t, f)
	f.Close()
	if n, err := idle.Read(make([]byte, 1)); err == nil {
		t.Errorf("a connection outlived the forwarding: %d bytes", n)
	}
}

func dial(t *testing.T, f *forwarding) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", f.listeners[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
