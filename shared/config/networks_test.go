package config

import (
	"net/netip"
	"testing"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	var list Networks
	var said string
	v := networks{&list, &said}
	if err := v.set("10.0.0.0/8,127.0.0.1:8081,::1,[fd00::1]:80,192.168.1.7"); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.1.2.3:80": true, "10.1.2.3:443": true, "11.1.2.3:80": false, "127.0.0.1:8081": true, "127.0.0.1:8082": false, "[::1]:1": true,
		"[fd00::1]:80": true, "[fd00::1]:81": false, "[::ffff:10.1.2.3]:80": true, "192.168.1.7:1": true, "192.168.1.8:1": false,
	} {
		if got := list.Contain(netip.MustParseAddrPort(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if text := v.text(); text != "10.0.0.0/8,127.0.0.1:8081,::1,[fd00::1]:80,192.168.1.7" {
		t.Errorf("text %q", text)
	}
	for _, wrong := range []string{"localhost", "10.0.0.0/33", "10.0.0.1:0", "10.0.0.1:99999", "10.0.0.1, 10.0.0.2", ",", "fe80::1%lo", "::ffff:10.0.0.0/104"} {
		if err := v.set(wrong); err == nil {
			t.Errorf("%q is taken as %v", wrong, list)
		}
	}
	if err := v.set(""); err != nil || list != nil {
		t.Errorf("nothing is %v, %v", list, err)
	}
}
