// Command faultproxy runs a netfault.Proxy to the server at HOST:PORT for tests that do not import shared. They send it
// calls in JSON-RPC over stdin and stdout. It ends with its stdin.
package main

import (
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"

	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: faultproxy HOST:PORT")
		os.Exit(2)
	}
	if err := serve(os.Args[1], stdio{os.Stdin, os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, "faultproxy:", err)
		os.Exit(1)
	}
}

// stdio is the connection to the test.
type stdio struct {
	io.ReadCloser
	io.Writer
}

// serve runs a proxy to a server and answers calls until conn ends.
func serve(server string, conn io.ReadWriteCloser) error {
	proxy, err := netfault.Listen(server)
	if err != nil {
		return err
	}
	defer proxy.Close()
	calls := rpc.NewServer()
	if err := calls.Register(&Proxy{proxy}); err != nil {
		return err
	}
	calls.ServeCodec(jsonrpc.NewServerCodec(conn))
	return nil
}

// Proxy has the methods of netfault.Proxy as calls.
type Proxy struct{ proxy *netfault.Proxy }

// Address answers the host:port that clients connect to.
func (p *Proxy) Address(_ struct{}, address *string) error {
	*address = p.proxy.Address()
	return nil
}

// Cut ends all connections.
func (p *Proxy) Cut(struct{}, *struct{}) error {
	p.proxy.Cut()
	return nil
}

// Redirect makes new connections lead to another server.
func (p *Proxy) Redirect(server string, _ *struct{}) error {
	p.proxy.Redirect(server)
	return nil
}

// LoseAnswers cuts the connection of each of the next n answers in place of the answer.
func (p *Proxy) LoseAnswers(n int, _ *struct{}) error {
	p.proxy.LoseAnswers(n)
	return nil
}
