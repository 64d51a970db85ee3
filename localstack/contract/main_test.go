package main

import (
	"context"
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

// TestFindsWhatIsWrong checks that a server that accepts everything fails.
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

// TestKnownDifferences: what README documents of a platform is no failure there, and is one everywhere else.
func TestKnownDifferences(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"X-Localstack": "differs", "X-Other": "FAIL"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(header, "true")
			if r.Header.Get("Content-Encoding") != "" {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"Missing Authentication Token"}`)
		}))
		t.Cleanup(server.Close)
		c := newClient(options{url: server.URL})
		if err := c.findPlatform(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, run := range map[string]func(context.Context, *client, *findings){"routes": routes, "encoded": encoded} {
			var f findings
			run(t.Context(), c, &f)
			if word := f.print(io.Discard, name, 0); word != want {
				t.Errorf("%s with %s: %s, %+v; want %s", name, header, word, f, want)
			}
		}
	}
}
