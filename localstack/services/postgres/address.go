package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Address is the address of a server that this package did not start: one or more TCP addresses or sockets.
type Address struct{ places []place }

type place struct{ network, address string }

// AddressOf returns the address in a connection URL. The error says what is wrong with the URL and omits its password.
func AddressOf(url string) (*Address, error) {
	c, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	a := new(Address)
	add := func(host string, port uint16) {
		network, address := pgconn.NetworkAddress(host, port)
		if p := (place{network, address}); !slices.Contains(a.places, p) {
			a.places = append(a.places, p)
		}
	}
	add(c.Host, c.Port)
	for _, f := range c.Fallbacks { // other hosts, and the same ones with and without TLS
		add(f.Host, f.Port)
	}
	return a, nil
}

// String returns the address for a person: host:port, separated by commas if there are several.
func (a *Address) String() string {
	var list []string
	for _, p := range a.places {
		list = append(list, p.address)
	}
	return strings.Join(list, ", ")
}

// Reach waits until the address accepts connections, at most for patience: a server that was just started needs a moment.
// It does not retry unknown hosts, and it does not check which program accepts the connection.
func (a *Address) Reach(ctx context.Context, patience time.Duration) error {
	until, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := a.dial(until, patience/time.Duration(len(a.places)))
		var unknown *net.DNSError
		if err == nil || errors.As(err, &unknown) && unknown.IsNotFound {
			return err
		}
		var late net.Error
		if last == nil || !errors.As(err, &late) || !late.Timeout() { // a timeout says less than the other errors
			last = err
		}
		select {
		case <-until.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w (tried for %s)", last, patience)
		case <-tick.C:
		}
	}
}

// dial tries each of the places and returns the last error.
func (a *Address) dial(ctx context.Context, timeout time.Duration) error {
	var err error
	for _, p := range a.places {
		var conn net.Conn
		d := net.Dialer{Timeout: timeout}
		if conn, err = d.DialContext(ctx, p.network, p.address); err == nil {
			return conn.Close()
		}
	}
	return err
}
