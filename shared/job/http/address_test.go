package http

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for want, addresses := range map[bool][]string{
		true: {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.169.0.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00::1"},
		false: {
			"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
			"169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1",
			"240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
			"64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fe80::1",
			"fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1", "3fff::1", "2001:0:7f00:1::%1",
		},
	} {
		for _, text := range addresses {
			if got := public(netip.MustParseAddr(text)); got != want {
				t.Errorf("%s: public is %t", text, got)
			}
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// FuzzPublic looks for an address that package netip calls private, or that carries such an IPv4 address, and that a
// job may reach.
func FuzzPublic(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:a00:1::", "fd00:ec2::254", "8.8.8.8", "2606:4700::1"} {
		a := netip.MustParseAddr(seed)
		f.Add(a.AsSlice(), "")
		f.Add(a.AsSlice(), "eth0")
	}
	f.Fuzz(func(t *testing.T, bytes []byte, zone string) {
		a, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		a = a.WithZone(zone)
		if !public(a) {
			return
		}
		inner := []netip.Addr{a.Unmap()}
		if a.Unmap().Is6() {
			b := a.As16()
			switch {
			case b[0] == 0x20 && b[1] == 0x02: // 6to4
				inner = append(inner, netip.AddrFrom4([4]byte(b[2:6])))
			case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0: // Teredo has it inverted
				inner = append(inner, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
			case b[0] == 0 && b[1] == 0x64, b[0]|b[1]|b[2]|b[3]|b[4]|b[5] == 0: // NAT64, IPv4-compatible
				inner = append(inner, netip.AddrFrom4([4]byte(b[12:16])))
			}
		}
		for _, i := range inner {
			if i.IsPrivate() || i.IsLoopback() || i.IsLinkLocalUnicast() || i.IsMulticast() || i.IsUnspecified() || i.IsInterfaceLocalMulticast() {
				t.Errorf("%s, which leads to %s, is public", a, i)
			}
		}
	})
}
