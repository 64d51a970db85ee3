package netfault

import (
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
)

// Serve runs a proxy to the server at host:port for a test in another program, which sends it calls in JSON-RPC over conn:
// Proxy.Address, Proxy.Cut, Proxy.Redirect and Proxy.LoseAnswers. It returns when conn ends, or an error if it cannot listen.
func Serve(server string, conn io.ReadWriteCloser) error {
	p, err := Listen(server)
	if err != nil {
		return err
	}
	defer p.Close()
	calls := rpc.NewServer()
	if err := calls.RegisterName("Proxy", &remote{p}); err != nil {
		return err
	}
	calls.ServeCodec(jsonrpc.NewServerCodec(conn))
	return nil
}

// remote has methods of Proxy in the form of calls.
type remote struct{ proxy *Proxy }

func (r *remote) Address(_ struct{}, address *string) error {
	*address = r.proxy.Address()
	return nil
}

func (r *remote) Cut(struct{}, *struct{}) error {
	r.proxy.Cut()
	return nil
}

func (r *remote) Redirect(server string, _ *struct{}) error {
	r.proxy.Redirect(server)
	return nil
}

func (r *remote) LoseAnswers(n int, _ *struct{}) error {
	r.proxy.LoseAnswers(n)
	return nil
}
