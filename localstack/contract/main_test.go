package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	for arguments, want := range map[string]string{
		"":                                  `-url is ""`,
		"-url 127.0.0.1:8080":               "-url is",
		"-url http://h -wait soon":          `"soon" for flag -wait`,
		"-url http://h -wait -1s":           "must not be negative",
		"-url http://h more":                `argument "more"`,
		"-url https://h/v1/ -tasks 0":       "",
		"-url http://h -api-key k -wait 0s": "",
	} {
		o, err := parse(strings.Fields(arguments), &help)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", arguments, err, want)
		}
		if strings.HasSuffix(o.url, "/") && err == nil {
			t.Errorf("%q: the URL is %s", arguments, o.url)
		}
	}
	if help.Len() > 0 {
		t.Errorf("flags were listed that nobody asked for: %s", &help)
	}
}

// A server that says yes to everything must not pass.
func TestFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1","created_at":"now","duration":0}`)
	}))
	t.Cleanup(server.Close)
	var out strings.Builder
	err := run(t.Context(), options{url: server.URL, key: "k"}, &out)
	if err == nil {
		t.Fatalf("passed:\n%s", &out)
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		for _, word := range []string{"ok ", "differs "} {
			if strings.HasPrefix(line, word) && !strings.Contains(line, "Idempotency-Key at once") {
				t.Errorf("%s", line)
			}
		}
	}
}
