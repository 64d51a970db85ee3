package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// TestGuardKeepsTheRulesOfNetHTTP breaks rules that net/http forgives and the adapter's writer does not.
func TestGuardKeepsTheRulesOfNetHTTP(t *testing.T) {
	t.Parallel()
	const failed = `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"the request failed; the log has the reason"}`
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
		body    string
	}{
		"writes nothing":          {func(http.ResponseWriter, *http.Request) {}, 500, failed},
		"writes two status codes": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.WriteHeader(500) }, 202, ""},
		"status after the body": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "yes")
			w.WriteHeader(500)
		}, 200, "yes"},
		"panics after the body": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			panic("boom")
		}, 500, failed},
		"header after the status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			w.Header().Set("Late", "yes")
		}, 204, ""},
	} {
		log := slog.New(slog.DiscardHandler)
		answer, err := Lambda(guard(c.handler, log), log)(t.Context(), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/"})
		if err != nil || answer.StatusCode != c.status || answer.Body != c.body {
			t.Errorf("%s: %d %q %v, want %d %q", name, answer.StatusCode, answer.Body, err, c.status, c.body)
		}
		if _, late := answer.MultiValueHeaders["Late"]; late {
			t.Errorf("%s: a header that came too late was sent", name)
		}
	}
}
