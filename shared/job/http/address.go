package http

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrForbidden says that a host has an address which a job may not reach. It is final.
var ErrForbidden = errors.New("the address is not public")

// special are the blocks that are not public beside those that package netip knows: the registries of special-purpose
// addresses (RFC 6890, as IANA keeps them), the ways by which an IPv6 address leads to an IPv4 one, and the servers of
// cloud providers that have a public address.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"100.64.0.0/10",    // carrier-grade NAT, RFC 6598
	"192.0.0.0/24",     // protocol assignments; Oracle's metadata is 192.0.0.192
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays, RFC 7526
	"198.18.0.0/15",    // benchmarks, RFC 2544
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved, and broadcast
	"168.63.129.16/32", // Azure's platform server
	"2001::/23",        // protocol assignments, Teredo among them
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4, RFC 3056
	"3fff::/20",        // documentation, RFC 9637
)

// global is the block that all public IPv6 addresses are from. NAT64 (RFC 6052, 8215), IPv4-compatible, discard-only,
// site-local and segment-routing addresses lie outside.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// public says whether an address is one of the internet's. An IPv4 address in its IPv6 form (RFC 4291, 2.5.5.2) counts
// as the IPv4 address.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// control refuses a connection before it is made. The dialer calls it with each address that a name resolved to, so
// that no name can be public when it is checked and private when it is used.
func (c *client) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrForbidden, address)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	if public(to.Addr()) || c.allow != nil && c.allow(to) {
		return nil
	}
	return fmt.Errorf("HttpAllow does not name it: %w", ErrForbidden) // the dialer's own error names it
}
