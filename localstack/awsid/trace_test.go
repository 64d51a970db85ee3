package awsid_test

import (
	"strings"
	"testing"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

func TestValidTrace(t *testing.T) {
	t.Parallel()
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for header, want := range map[string]bool{
		root: true, root + ";Parent=53995c3f42cd8ad8;Sampled=1": true, root + "; Sampled=?": true,
		"Self=1-67891234-12456789abcdef012345678;" + root: true, root + ";Sampled=0;Lineage=a87bd80c:1|68fd508a:5": true,
		"Root=1-abc-def": true,
		"":               false, ";": false, "Sampled=1": false, "Root=dummy;Sampled=0": false, "Root=1-abc": false, "Root=1-abc-xyz": false,
		root + "\x01": false, root + ";Parent=\n": false, root + ";Parent=ä": false, root + ";": false, root + ";=1": false, root + ";a": false,
		root + "\x7f": false, "Root=2-abc-def": false, root + ";A=" + strings.Repeat("a", 1<<10): false,
	} {
		if got := awsid.ValidTrace(header); got != want {
			t.Errorf("%q: valid is %t; want %t", header, got, want)
		}
	}
}
