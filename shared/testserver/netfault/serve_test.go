package netfault

import (
	"net"
	"net/rpc/jsonrpc"
	"testing"
)

// TestServe drives a proxy as a test of another program does.
func TestServe(t *testing.T) {
	t.Parallel()
	ours, its := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Serve(server(t, "a"), its) }()
	client := jsonrpc.NewClient(ours)
	call := func(method string, argument, answer any) {
		t.Helper()
		if err := client.Call("Proxy."+method, argument, answer); err != nil {
			t.Fatal(err)
		}
	}
	var address string
	call("Address", struct{}{}, &address)
	first := dial(t, address)
	if got := first.ask("1"); got != "a 1" {
		t.Errorf("the server answers %q", got)
	}
	call("Redirect", server(t, "b"), &struct{}{})
	call("LoseAnswers", 1, &struct{}{})
	if got := first.ask("2"); got != "" {
		t.Errorf("the lost answer is %q", got)
	}
	second := dial(t, address)
	if got := second.ask("3"); got != "b 3" {
		t.Errorf("the other server answers %q", got)
	}
	call("Cut", struct{}{}, &struct{}{})
	if got := second.ask("4"); got != "" {
		t.Errorf("a cut connection answers %q", got)
	}
	last := dial(t, address)
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := last.ask("5"); got != "" {
		t.Errorf("a proxy that has ended answers %q", got)
	}
}
