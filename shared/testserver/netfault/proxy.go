// Package netfault is a TCP proxy for tests. It does to connections what networks and restarts do.
package netfault

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
)

// Proxy forwards connections to a server and breaks them on demand. Its methods may be called at any time.
type Proxy struct {
	listener net.Listener
	all      sync.WaitGroup

	mu        sync.Mutex
	server    string
	conns     map[net.Conn]bool // both ends of each
	turns     int               // times that a client spoke after the server did: round trips
	serverWas bool              // the server spoke last
	losing    int               // how many of the next answers are lost, each with its connection
	mute      func([]byte) bool // answers that are lost without their connection
	hang      bool
	goOn      *sync.Cond // tells that hang has become false
	closed    bool
}

// New starts a proxy to the server at host:port that ends with the test.
func New(t testing.TB, server string) *Proxy {
	t.Helper()
	p, err := Listen(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Listen starts a proxy to the server at host:port on a free port of 127.0.0.1.
func Listen(server string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for connections to %s: %w", server, err)
	}
	p := &Proxy{listener: listener, server: server, conns: map[net.Conn]bool{}}
	p.goOn = sync.NewCond(&p.mu)
	p.all.Go(p.accept)
	return p, nil
}

// Address is the host:port that clients connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close ends the proxy and all connections. Closing again does nothing.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Hang(false)
	p.Refuse()
	p.all.Wait()
}

// Refuse ends all connections and refuses new ones, like a machine without the server.
func (p *Proxy) Refuse() {
	_ = p.listener.Close()
	p.Cut()
}

// Redirect makes new connections lead to another server.
func (p *Proxy) Redirect(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// Cut ends all connections at once, in the middle of a message too.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
}

// LoseAnswers loses the next n answers: the server does what it was asked, and the proxy cuts the connection in place of
// the answer.
func (p *Proxy) LoseAnswers(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losing = n
}

// Mute loses the answers for which lost returns true, and keeps their connections. lost gets what one read of the
// connection returned. Nil ends it.
func (p *Proxy) Mute(lost func(answer []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = lost
}

// Hang holds back the bytes of all connections, or lets them go on.
func (p *Proxy) Hang(hang bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hang = hang
	p.goOn.Broadcast()
}

// RoundTrips counts the round trips while do runs.
func (p *Proxy) RoundTrips(do func()) int {
	p.mu.Lock()
	before := p.turns
	p.mu.Unlock()
	do()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turns - before
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.mu.Lock()
		to := p.server
		p.mu.Unlock()
		server, err := net.Dial("tcp", to)
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
			p.Cut()
		}
	}
}

func (p *Proxy) forward(to, from net.Conn, fromServer bool) {
	defer func() {
		_, _ = to.Close(), from.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, from)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			switch passes, cut := p.passes(fromServer, buffer[:n]); {
			case cut:
				return
			case passes:
				_, err = to.Write(buffer[:n])
			}
		}
		if err != nil {
			return
		}
	}
}

// passes notes that one side spoke and waits while the proxy hangs. It reports whether the bytes are forwarded, and whether
// the connection is cut.
func (p *Proxy) passes(fromServer bool, said []byte) (passes, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.hang {
		p.goOn.Wait()
	}
	if !fromServer && p.serverWas {
		p.turns++
	}
	p.serverWas = fromServer
	if fromServer && p.losing > 0 {
		p.losing--
		return false, true
	}
	return !fromServer || p.mute == nil || !p.mute(said), false
}
