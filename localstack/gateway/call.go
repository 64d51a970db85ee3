package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// call is a request in progress.
type call struct {
	g     *gateway
	r     *http.Request
	start time.Time
	id    requestID
	// path is as the client sent it: percent-encoded.
	path     string
	trace    string
	query    map[string][]string // decoded
	resource *resource           // nil if there is no route
	params   []param
	function string
}

// requestID are the ids of a request.
type requestID struct {
	request  string // a UUID
	extended string // 15 characters in base64
	trace    string // 24 hexadecimal digits
}

func newID() requestID {
	var random [23]byte
	_, _ = rand.Read(random[:]) // never fails
	return requestID{
		request:  awsid.NewRequestID(),
		extended: base64.StdEncoding.EncodeToString(random[:11])[:15] + "=",
		trace:    hex.EncodeToString(random[11:]),
	}
}

func (g *gateway) newCall(r *http.Request) *call {
	c := &call{g: g, r: r, start: g.now(), id: g.newID(), path: r.URL.EscapedPath()}
	if c.trace = r.Header.Get("X-Amzn-Trace-Id"); !awsid.ValidTrace(c.trace) {
		c.trace = fmt.Sprintf("Root=1-%08x-%s", c.start.Unix(), c.id.trace)
	}
	return c
}

// sourceIP returns the client's address without its port.
func (c *call) sourceIP() string {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}

// requestTime returns the start in the Common Log Format.
func (c *call) requestTime() string { return c.start.UTC().Format("02/Jan/2006:15:04:05 +0000") }

func (c *call) domainPrefix() string {
	prefix, _, _ := strings.Cut(c.r.Host, ".")
	return prefix
}

// stagePath returns the path with the stage, as in AWS's own URL of an API.
func (c *call) stagePath() string { return "/" + c.g.api.StageName + c.path }
