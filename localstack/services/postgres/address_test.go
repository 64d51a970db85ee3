package postgres

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:geheim@db.example.com:6000/d":               "db.example.com:6000",
		"postgres://u@h/d?sslmode=prefer":                         "h:5432", // once, though pgx tries twice
		"postgres://u@/d?host=one,two&port=1,2":                   "one:1, two:2",
		"postgres://u@[::1]/d":                                    "[::1]:5432",
		"postgres:///d?host=/run/postgres&user=u":                 "/run/postgres/.s.PGSQL.5432",
		"postgres://u@h/d?pool_max_conns=4&application_name=test": "h:5432",
	} {
		if got, err := AddressOf(url); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", url, got, err, want)
		}
	}
	_, err := AddressOf("postgres://u:geheim@h/d?sslmode=full")
	if err == nil || !strings.Contains(err.Error(), "sslmode is invalid") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("an unknown sslmode: %v", err)
	}
}

// at is the address of a port of this machine.
func at(t *testing.T, hostPort string) *Address {
	t.Helper()
	a, err := AddressOf("postgres://u@" + hostPort + "/d")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestReach(t *testing.T) {
	t.Parallel()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = port.Close() })
	if err := at(t, port.Addr().String()).Reach(t.Context(), time.Minute); err != nil {
		t.Errorf("a server that is there: %v", err)
	}
	nobody := at(t, "127.0.0.1:1")
	const patience = 300 * time.Millisecond
	if err := nobody.Reach(t.Context(), patience); err == nil || !strings.HasSuffix(err.Error(), "connection refused (tried for 300ms)") {
		t.Errorf("a server that is gone: %v; want what the system says, and for how long it was tried", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond) // between two attempts
	defer cancel()
	if err := nobody.Reach(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller that gives up: %v", err)
	}
	began := time.Now()
	if err := at(t, "no..host").Reach(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), "no such host") || time.Since(began) > 30*time.Second {
		t.Errorf("a host that does not exist: %v after %s; want it at once", err, time.Since(began))
	}
}

// TestReachWaits checks that Reach waits for a server that is starting.
func TestReachWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // of a socket, whose name no other test takes
	address, err := AddressOf("postgres://u@/d?host=" + dir)
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan error, 1)
	go func() { reached <- address.Reach(t.Context(), time.Minute) }()
	select {
	case err := <-reached:
		t.Fatalf("Reach returns %v before there is a server", err)
	case <-time.After(300 * time.Millisecond): // some attempts have failed
	}
	server, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := <-reached; err != nil {
		t.Error(err)
	}
}
