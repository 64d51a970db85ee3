package listen

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// guard refuses requests that a browser sends for a page of another host. The ports check no credentials: without the
// guard, any page in this machine's browser could run functions and read their variables.
//
// A page names its origin in the Origin header (https://fetch.spec.whatwg.org/#origin-header) or, for images and the
// like, in Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/). A page whose own name resolves to this machine (DNS
// rebinding) has the same origin as the port, but sends its name in the Host header.
type guard struct {
	shape   Shape
	allowed map[string]bool
}

// containerHost is this machine's name in containers. No page can have it: .internal has no public DNS
// (https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en).
const containerHost = "host.docker.internal"

func newGuard(o Options, address net.Addr) *guard {
	g := &guard{shape: o.Shape, allowed: map[string]bool{containerHost: true}}
	if host, _, err := net.SplitHostPort(address.String()); err == nil {
		g.allowed[host] = true
	}
	for _, name := range o.AllowHosts {
		g.allowed[hostName(name)] = true
	}
	return g
}

// check passes requests of this machine's programs and pages.
func (g *guard) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := g.objection(r); why != "" {
			w.Header().Set("Connection", "close") // the server does not read the body
			g.shape.write(w, r, refusal{http.StatusForbidden, "ForbiddenException", "AccessDeniedException", why})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// objection returns why a request is refused; "" passes it. A request without a Host (HTTP/1.0) does not come from a
// browser.
func (g *guard) objection(r *http.Request) string {
	if r.Host != "" && !g.accepts(hostName(r.Host)) {
		return fmt.Sprintf("the Host header is %s; the local stack accepts localhost, loopback addresses and the names given by --allow-host",
			strconv.QuoteToGraphic(r.Host))
	}
	origins := r.Header.Values("Origin")
	for _, origin := range origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !g.accepts(hostName(u.Host)) {
			return fmt.Sprintf("the request comes from a web page: its Origin is %s; the local stack accepts requests without an Origin, "+
				"as SDKs and curl send them, and from pages of localhost, loopback addresses and the names given by --allow-host",
				strconv.QuoteToGraphic(origin))
		}
	}
	if g.shape == AWS && len(origins) == 0 && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return "the request comes from a web page of another site: its Sec-Fetch-Site is \"cross-site\""
	}
	return ""
}

// accepts reports whether a host name is this machine's or allowed.
func (g *guard) accepts(host string) bool {
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	// Browsers resolve names below localhost to the loopback address: https://www.rfc-editor.org/rfc/rfc6761#section-6.3.
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || g.allowed[host]
}

// allowedName is a DNS name or an IP address.
var allowedName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,253}$`)

// CheckHost returns an error if a name is not allowed in Options.AllowHosts.
func CheckHost(name string) error {
	if net.ParseIP(strings.Trim(name, "[]")) == nil && !allowedName.MatchString(name) {
		return fmt.Errorf("%q is not a host name; give it without scheme and port, such as dev.example.com", name)
	}
	return nil
}

// hostName returns the name in HOST or HOST:PORT, in lower case and without brackets or the root's dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
