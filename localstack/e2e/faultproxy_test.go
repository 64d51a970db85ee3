package e2e_test

import (
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// faultProxy is a TCP proxy that breaks connections when a test says so: the program faultproxy, which is built beside
// the local stack and ends with its stdin.
type faultProxy struct {
	t     testing.TB
	calls *rpc.Client
}

// proxied starts a proxy to a database and returns it with the URL that leads through it. It ends with the test.
func proxied(t testing.TB, database string) (p faultProxy, through string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(faultproxy, u.Host)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = faultProxy{t, jsonrpc.NewClient(pipes{stdin, stdout})}
	t.Cleanup(func() {
		_ = p.calls.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("faultproxy: %v", err)
		}
	})
	p.call("Address", struct{}{}, &u.Host)
	return p, u.String()
}

// pipes is the connection to a program. Its Close ends the program's stdin.
type pipes struct {
	io.WriteCloser
	io.Reader
}

// cut ends all connections.
func (p faultProxy) cut() { p.call("Cut", struct{}{}, &struct{}{}) }

// redirect makes new connections lead to another server.
func (p faultProxy) redirect(server string) { p.call("Redirect", server, &struct{}{}) }

// loseAnswers cuts the connection of each of the next n answers in place of the answer.
func (p faultProxy) loseAnswers(n int) { p.call("LoseAnswers", n, &struct{}{}) }

func (p faultProxy) call(method string, argument, answer any) {
	p.t.Helper()
	if err := p.calls.Call("Proxy."+method, argument, answer); err != nil {
		p.t.Errorf("faultproxy: %s: %v", method, err)
	}
}
