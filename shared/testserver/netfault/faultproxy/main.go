// Command faultproxy runs a netfault.Proxy to the server at HOST:PORT for tests that do not import shared. They send it
// calls in JSON-RPC over stdin and stdout; see netfault.Serve. It ends with its stdin.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/eragon-mdi/ksu/shared/testserver/netfault"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: faultproxy HOST:PORT")
		os.Exit(2)
	}
	if err := netfault.Serve(os.Args[1], stdio{os.Stdin, os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, "faultproxy:", err)
		os.Exit(1)
	}
}

// stdio is the connection to the test.
type stdio struct {
	io.ReadCloser
	io.Writer
}
