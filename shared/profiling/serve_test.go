//go:build !nopprof

package profiling

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHosts checks that a web page cannot read profiles by a name of its own that resolves to this machine.
func TestHosts(t *testing.T) {
	t.Parallel()
	h := local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for host, want := range map[string]int{
		"localhost": 204, "localhost:1": 204, "127.0.0.1:1": 204, "127.0.0.1": 204, "[::1]:1": 204, "[::1]": 204, "": 204,
		"evil.example": 403, "evil.example:1": 403, "localhost.evil.example": 403, "10.0.0.1": 403,
	} {
		r := httptest.NewRequest("GET", "/debug/pprof/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("Host %q: %d; want %d", host, w.Code, want)
		}
	}
}
