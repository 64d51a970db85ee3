package main

import (
	"bufio"
	"fmt"
	"net"
	"net/rpc/jsonrpc"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers each line with its own name, until the test ends.
func echo(t *testing.T, name string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					_, _ = fmt.Fprintln(conn, name)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestCalls drives a proxy as a test of another folder does.
func TestCalls(t *testing.T) {
	t.Parallel()
	ours, its := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(echo(t, "one"), its) }()
	client := jsonrpc.NewClient(ours)
	call := func(method string, argument, answer any) {
		t.Helper()
		if err := client.Call("Proxy."+method, argument, answer); err != nil {
			t.Fatal(err)
		}
	}
	var address string
	call("Address", struct{}{}, &address)
	// ask returns "" when the proxy cuts the connection.
	ask := func(conn net.Conn) string {
		_, _ = fmt.Fprintln(conn, "who")
		answer := bufio.NewScanner(conn)
		answer.Scan()
		return answer.Text()
	}
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	first := dial()
	if got := ask(first); got != "one" {
		t.Errorf("the server answers %q", got)
	}
	call("Redirect", echo(t, "another"), &struct{}{})
	call("LoseAnswers", 1, &struct{}{})
	if got := ask(first); got != "" {
		t.Errorf("a lost answer is %q", got)
	}
	second := dial()
	if got := ask(second); got != "another" {
		t.Errorf("after the redirection %q answers", got)
	}
	call("Cut", struct{}{}, &struct{}{})
	if got := ask(second); got != "" {
		t.Errorf("a cut connection answers %q", got)
	}
	last := dial()
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := ask(last); got != "" {
		t.Errorf("a proxy that has ended answers %q", got)
	}
}
