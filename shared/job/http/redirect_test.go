package http

import (
	"errors"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARedirectKeepsTLSAndSecrets(t *testing.T) {
	t.Parallel()
	const secret = "secret"
	for name, c := range map[string]struct {
		hops    string
		refused bool
		secret  string // what the last hop gets
	}{
		"the same server":         {"https://a/1 https://a/2", false, secret},
		"another server":          {"https://a/1 https://b/2", false, ""},
		"another port":            {"https://a/1 https://a:444/2", false, ""},
		"to TLS":                  {"http://a/1 https://a/2", false, ""},
		"there and back":          {"https://a/1 https://b/2 https://a/3", false, ""},
		"from TLS":                {"https://a/1 http://a/2", true, ""},
		"from TLS, after a while": {"http://a/1 https://a/2 http://a/3", true, ""},
		"five":                    {"http://a http://a http://a http://a http://a http://a", false, secret},
		"six":                     {"http://a http://a http://a http://a http://a http://a http://a", true, ""},
	} {
		var via []*nethttp.Request
		for hop := range strings.SplitSeq(c.hops, " ") {
			r := httptest.NewRequest("GET", hop, nil)
			r.Header.Set("X-Api-Key", secret)
			r.Header.Set("Referer", "https://a/?token=secret")
			r.Header.Set("Accept", "text/plain")
			via = append(via, r)
		}
		last := via[len(via)-1]
		err := redirect(last, via[:len(via)-1])
		if refused := errors.Is(err, errRedirect); refused != c.refused || err != nil && !refused {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (last.Header.Get("X-Api-Key") != c.secret || last.Header.Get("Referer") != "" || last.Header.Get("Accept") != "text/plain") {
			t.Errorf("%s: headers %v", name, last.Header)
		}
	}
}
