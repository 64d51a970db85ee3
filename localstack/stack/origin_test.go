package stack

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOrigins: a page of another host cannot use the AWS endpoint through the browser of this machine.
func TestOrigins(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	endpoint := awsEndpoint(answer, answer, answer)
	for origin, want := range map[string]int{
		"":                              202,
		"http://localhost:3000":         202,
		"http://127.0.0.1:4566":         202,
		"http://[::1]":                  202,
		"http://evil.example":           403,
		"http://127.0.0.1.evil.example": 403,
		"http://localhost@evil.example": 403,
		"http://10.0.0.1":               403,
		"null":                          403,
		"%":                             403,
	} {
		for _, path := range []string{"/2015-03-31/functions/f/invocations", "/"} {
			r := httptest.NewRequest("POST", "http://127.0.0.1:4566"+path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "text/plain")
			if path == "/" {
				r.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
			}
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			w := httptest.NewRecorder()
			endpoint.ServeHTTP(w, r)
			body := w.Body.String()
			if w.Code != want || want == 403 && (w.Header().Get("X-Amzn-ErrorType") != "AccessDeniedException" || !strings.Contains(body, origin)) {
				t.Errorf("POST %s with Origin %q: %d %s; want %d", path, origin, w.Code, body, want)
			}
		}
	}
}
