package clickhousetest

import (
	"net"
	"sync"
	"testing"
)

// Proxy is a TCP proxy that a test makes cut connections and hang.
type Proxy struct {
	// Address is what clients connect to.
	Address string

	target   string
	listener net.Listener
	group    sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	conns   map[net.Conn]bool
	hang    bool
	mute    bool
	closed  bool
}

// NewProxy starts a proxy before a server's address that ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: listener.Addr().String(), target: target, listener: listener, conns: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Hang makes the proxy stop reading what clients and server send, or go on.
func (p *Proxy) Hang(hang bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hang = hang
	p.changed.Broadcast()
}

// LoseEnds makes the proxy lose the answers with which the server says that an insert is done, so that clients cannot
// know. They are a single byte.
func (p *Proxy) LoseEnds() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = true
}

// Cut closes all connections and ends LoseEnds.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = false
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed, p.hang = true, false
	p.changed.Broadcast()
	p.mu.Unlock()
	p.Cut()
	p.group.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		if p.closed {
			_ = client.Close()
			_ = server.Close()
		}
		p.mu.Unlock()
		p.group.Go(func() { p.copy(server, client, false) })
		p.group.Go(func() { p.copy(client, server, true) })
	}
}

// copy forwards one direction until either side ends.
func (p *Proxy) copy(to, from net.Conn, answers bool) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.wait()
		if n > 0 && !(answers && n == 1 && p.loses()) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait blocks while the proxy hangs.
func (p *Proxy) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.hang {
		p.changed.Wait()
	}
}

func (p *Proxy) loses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mute
}
