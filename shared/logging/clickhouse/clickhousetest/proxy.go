package clickhousetest

import (
	"testing"

	"github.com/eragon-mdi/ksu/localstack/netfault"
)

// NewProxy starts a proxy before a server's address that ends with the test.
func NewProxy(t testing.TB, target string) *netfault.Proxy {
	t.Helper()
	p, err := netfault.Listen(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// InsertEnd reports whether an answer of the server is the one that says that an insert is done, for netfault's Mute: it is
// a single byte.
func InsertEnd(answer []byte) bool { return len(answer) == 1 }
