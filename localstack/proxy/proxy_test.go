package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestProxy(t *testing.T) {
	t.Parallel()
	localstack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/restapis" {
			_, _ = io.WriteString(w, `{"item":[{"id":"abc123"}]}`)
			return
		}
		w.Header().Set("Location", "/task/1/status")
		w.WriteHeader(http.StatusCreated)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Header.Get("Idempotency-Key")+" "+string(body))
	}))
	defer localstack.Close()
	base, err := find(t.Context(), localstack.URL, "v1")
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(to(base))
	defer proxy.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL+"/task/a%2Fb?limit=1", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", "k")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if want := "POST /_aws/execute-api/abc123/v1/task/a%2Fb?limit=1 k {}"; string(body) != want || err != nil ||
		answer.StatusCode != http.StatusCreated || answer.Header.Get("Location") != "/task/1/status" {
		t.Errorf("%s %v %q, error %v; want %q", answer.Status, answer.Header, body, err, want)
	}
	if err := check(t.Context(), proxy.URL+"/task"); err != nil {
		t.Error(err)
	}
}

func TestAPIThatIsNotThere(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"item":[]}`: "not deployed", `{}`: "not deployed", `{"item":[{"id":"a"},{"id":"b"}]}`: "2 REST APIs", `<html>`: "list the REST APIs: invalid character",
	} {
		localstack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if base, err := find(t.Context(), localstack.URL, "v1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, error %v, want %s", body, base, err, want)
		}
		localstack.Close()
	}
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	if _, err := find(t.Context(), refusing.URL, "v1"); err == nil || err.Error() != "list the REST APIs: 404 Not Found" {
		t.Errorf("error %v", err)
	}
	if err := check(t.Context(), refusing.URL); err == nil {
		t.Error("404 is taken for health")
	}
}
