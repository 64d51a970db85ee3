package config

import (
	"errors"
	"net/netip"
	"strings"
)

// Networks is a list of addresses that are exceptionally allowed. The zero value is empty.
type Networks []network

// network is a block of addresses on one port; port 0 means all ports.
type network struct {
	block netip.Prefix
	port  uint16
}

// Contain reports whether an address is on the list. An IPv4 address in IPv6 form counts as the IPv4 address.
func (n Networks) Contain(a netip.AddrPort) bool {
	for _, one := range n {
		if one.block.Contains(a.Addr().Unmap().WithZone("")) && (one.port == 0 || one.port == a.Port()) {
			return true
		}
	}
	return false
}

// networks parses blocks, addresses and address:port, separated by commas, or an empty text.
type networks struct {
	to   *Networks
	said *string
}

func (v networks) set(s string) error {
	var list Networks
	if s != "" {
		for item := range strings.SplitSeq(s, ",") {
			one, ok := parseNetwork(item)
			if !ok {
				return errors.New("blocks, addresses and address:port separated by commas, such as 10.0.0.0/8,127.0.0.1:8081")
			}
			list = append(list, one)
		}
	}
	*v.to, *v.said = list, s
	return nil
}

func (v networks) text() string { return *v.said }

func parseNetwork(s string) (network, bool) {
	if block, err := netip.ParsePrefix(s); err == nil {
		return network{block: block.Masked()}, !block.Addr().Is4In6()
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return network{block: netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}, a.Zone() == ""
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		address := a.Addr().Unmap()
		return network{netip.PrefixFrom(address, address.BitLen()), a.Port()}, a.Port() != 0 && address.Zone() == ""
	}
	return network{}, false
}
