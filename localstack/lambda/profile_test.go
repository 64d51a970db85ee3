package lambda

import (
	"context"
	"net"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// TestProfileListener checks that the process has the listener, and that no other process keeps it afterwards.
func TestProfileListener(t *testing.T) {
	t.Parallel()
	addresses := make(chan string, 1)
	r := setup(t, Options{Profiles: func(_, address string) { addresses <- address }}, built{binary("echo"), spec.Function{Name: "echo"}})
	if err := r.Init(t.Context(), "echo"); err != nil {
		t.Fatal(err)
	}
	address := <-addresses
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Errorf("%s still listens without its process", address)
	}
}
