package stack

import (
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// fromThisMachine refuses requests that a browser makes for a page of another host: without credentials to check, any page
// that is open on this machine could run functions and send messages. Browsers name the page's origin in every POST; SDKs
// and the CLI send none. See https://fetch.spec.whatwg.org/#origin-header.
func fromThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, origin := range r.Header.Values("Origin") {
			if !isLoopback(origin) {
				refuseOrigin(w, origin)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether an origin is a page of this machine. "null", which sandboxed pages and files have, is none.
func isLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func refuseOrigin(w http.ResponseWriter, origin string) {
	awsid.WriteError(w, http.StatusForbidden, "AccessDeniedException", "the request comes from a web page: its Origin is "+strconv.QuoteToGraphic(origin)+
		"; the local stack takes requests without an Origin, as SDKs and the CLI send them, and of pages of localhost, 127.0.0.1 and [::1]")
}
