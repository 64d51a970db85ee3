package postgres

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a store and the server, and does to the connections what networks and restarts do.
type proxy struct {
	listener net.Listener
	server   string

	mu        sync.Mutex
	conns     map[net.Conn]bool
	turns     int  // times that the client spoke after the server did: round trips
	serverWas bool // the server spoke last
	losing    bool // the next answer is lost, with its connection
	closed    bool
	all       sync.WaitGroup
}

// through returns a proxy and the URL that leads through it.
func through(t testing.TB, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, server: u.Host, conns: map[net.Conn]bool{}}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		_ = listener.Close()
		p.cut()
		p.all.Wait()
	})
	u.Host = listener.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		closed := p.closed
		p.mu.Unlock()
		p.all.Go(func() { p.forward(server, client, false) })
		p.all.Go(func() { p.forward(client, server, true) })
		if closed {
			p.cut()
		}
	}
}

func (p *proxy) forward(to, from net.Conn, fromServer bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.passes(fromServer) {
			_, err = to.Write(buffer[:n])
		} else if n > 0 {
			err = io.EOF
		}
		if err != nil {
			_, _ = to.Close(), from.Close()
			return
		}
	}
}

func (p *proxy) passes(fromServer bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !fromServer && p.serverWas {
		p.turns++
	}
	p.serverWas = fromServer
	if fromServer && p.losing {
		p.losing = false
		return false
	}
	return true
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

// loseAnswer lets the server do what it is asked next, and cuts the connection instead of passing on its answer.
func (p *proxy) loseAnswer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losing = true
}

// roundTrips counts those that do makes.
func (p *proxy) roundTrips(do func()) int {
	p.mu.Lock()
	before := p.turns
	p.mu.Unlock()
	do()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turns - before
}
