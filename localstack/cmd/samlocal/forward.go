package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
)

// forwarding passes connections on to this machine's loopback.
type forwarding struct {
	listeners []net.Listener
	stop      context.CancelFunc
	ctx       context.Context
	open      sync.WaitGroup
}

// bridge is the interface between a Docker daemon's containers and this machine.
const bridge = "docker0"

// forwardPorts listens on the ports at this machine's address in Docker's network, and forwards connections to the same
// ports of 127.0.0.1, where the stack listens. Without such an address, Docker runs in a virtual machine, as Docker
// Desktop does, and forwards by itself.
func forwardPorts(ctx context.Context, ports []string) (*forwarding, error) {
	f := &forwarding{}
	f.ctx, f.stop = context.WithCancel(ctx)
	address := bridgeAddress()
	if address == "" {
		return f, nil
	}
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		if err := f.listen(net.JoinHostPort(address, port), net.JoinHostPort("127.0.0.1", port)); err != nil {
			f.Close()
			return nil, fmt.Errorf("let containers reach port %s: %w", port, err)
		}
	}
	return f, nil
}

// bridgeAddress returns the bridge's IPv4 address, "" if there is none.
func bridgeAddress() string {
	docker, err := net.InterfaceByName(bridge)
	if err != nil {
		return ""
	}
	addresses, err := docker.Addrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil {
			return network.IP.String()
		}
	}
	return ""
}

func (f *forwarding) listen(from, to string) error {
	listener, err := (&net.ListenConfig{}).Listen(f.ctx, "tcp", from)
	if err != nil {
		return err
	}
	f.listeners = append(f.listeners, listener)
	f.open.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil { // closed
				return
			}
			f.open.Go(func() { f.serve(in, to) })
		}
	})
	return nil
}

// serve copies both ways until both ends have closed, or the forwarding ends.
func (f *forwarding) serve(in net.Conn, to string) {
	defer func() { _ = in.Close() }()
	out, err := (&net.Dialer{}).DialContext(f.ctx, "tcp", to)
	if err != nil {
		return // the container sees a broken connection
	}
	defer func() { _ = out.Close() }()
	defer context.AfterFunc(f.ctx, func() { _, _ = in.Close(), out.Close() })()
	var both sync.WaitGroup
	both.Go(func() { pipe(out, in) })
	both.Go(func() { pipe(in, out) })
	both.Wait()
}

// pipe copies until from ends, and then closes to for writing.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// Close ends the forwarding and waits for its connections.
func (f *forwarding) Close() {
	f.stop()
	for _, listener := range f.listeners {
		_ = listener.Close()
	}
	f.open.Wait()
}
