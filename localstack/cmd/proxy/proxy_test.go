package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// localStack stands in for a LocalStack whose API id changes; "" means no API.
type localStack struct {
	id      atomic.Value
	early   atomic.Bool // LocalStack lists the API before it deploys the stage
	lookups atomic.Int32
	called  atomic.Int32 // requests that reached the API
}

func (l *localStack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := l.id.Load().(string)
	if r.URL.Path == "/restapis" {
		l.lookups.Add(1)
		if id == "" {
			_, _ = io.WriteString(w, `{"item":[]}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"item":[{"id":%q}]}`, id)
		return
	}
	path, found := strings.CutPrefix(r.RequestURI, "/_aws/execute-api/"+id+"/v1")
	if id == "" || !found || l.early.Load() {
		asked := strings.Split(r.URL.Path, "/")[3]
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, `{"message":"The API id '%s' does not correspond to a deployed API Gateway API"}`, asked)
		return
	}
	l.called.Add(1)
	if strings.HasPrefix(path, "/none") {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, strings.Repeat("no such item ", 1000))
		return
	}
	w.Header().Set("Location", "/items/1")
	w.WriteHeader(http.StatusCreated)
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Method+" "+path+" "+r.Header.Get("Idempotency-Key")+" "+string(body))
}

// setup starts a LocalStack and a proxy in front of it.
func setup(t *testing.T, id string) (l *localStack, proxy string) {
	t.Helper()
	l = &localStack{}
	l.id.Store(id)
	upstream := httptest.NewServer(l)
	t.Cleanup(upstream.Close)
	server := httptest.NewServer(handler(&api{endpoint: upstream.URL, stage: "v1"}))
	t.Cleanup(server.Close)
	return l, server.URL
}

func ask(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", "k")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestRequestsAreForwardedAsTheyAre(t *testing.T) {
	t.Parallel()
	_, proxy := setup(t, "abc123")
	for _, path := range []string{"/items/a%2Fb?limit=1", "/items//x/../y/", "/items/%C3%A9?q=a%20b+c", "/"} {
		answer, text := ask(t, http.MethodPost, proxy+path, "{}")
		if want := "POST " + path + " k {}"; text != want || answer.StatusCode != http.StatusCreated || answer.Header.Get("Location") != "/items/1" {
			t.Errorf("%s %v %q; want %q", answer.Status, answer.Header, text, want)
		}
	}
	if answer, text := ask(t, http.MethodGet, proxy+"/none", ""); answer.StatusCode != http.StatusNotFound || len(text) != 13000 {
		t.Errorf("the API's own 404 is %s with %d bytes", answer.Status, len(text))
	}
}

// TestNewIDIsLookedUp checks that no request is lost or sent twice when a restart of LocalStack changes the API's id.
func TestNewIDIsLookedUp(t *testing.T) {
	t.Parallel()
	l, proxy := setup(t, "first")
	for _, id := range []string{"first", "first", "second", "second", "third"} {
		l.id.Store(id)
		if answer, text := ask(t, http.MethodPost, proxy+"/items", "body"); text != "POST /items k body" {
			t.Errorf("with the id %s: %s %s", id, answer.Status, text)
		}
	}
	if called, lookups := l.called.Load(), l.lookups.Load(); called != 5 || lookups != 3 {
		t.Errorf("5 requests reached the API %d times, with %d look-ups of 3 ids", called, lookups)
	}
}

// TestAbsentAPI checks that clients get 503 until the template is deployed, and that the next request then finds the
// API.
func TestAbsentAPI(t *testing.T) {
	t.Parallel()
	l, proxy := setup(t, "")
	answer, text := ask(t, http.MethodGet, proxy+"/items", "")
	var problem struct{ Detail string }
	if err := json.Unmarshal([]byte(text), &problem); err != nil || answer.StatusCode != http.StatusServiceUnavailable ||
		answer.Header.Get("Content-Type") != "application/problem+json" || answer.Header.Get("Retry-After") != "1" ||
		problem.Detail != errNotDeployed.Error() {
		t.Errorf("%s %v %s, error %v", answer.Status, answer.Header, text, err)
	}
	if err := check(t.Context(), proxy); err == nil || !strings.Contains(err.Error(), errNotDeployed.Error()) {
		t.Errorf("health: %v", err)
	}
	l.id.Store("abc123")
	l.early.Store(true)
	if answer, text := ask(t, http.MethodGet, proxy+"/items", ""); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("before the stage is deployed: %s %s", answer.Status, text)
	}
	l.early.Store(false)
	if answer, text := ask(t, http.MethodGet, proxy+"/items", ""); answer.StatusCode != http.StatusCreated {
		t.Errorf("after the deployment: %s %s", answer.Status, text)
	}
}

// TestHealthCallsNoFunction checks that a health check, which runs every few seconds, invokes no function.
func TestHealthCallsNoFunction(t *testing.T) {
	t.Parallel()
	l, proxy := setup(t, "abc123")
	if err := check(t.Context(), proxy); err != nil || l.called.Load() != 0 {
		t.Errorf("health: %v, after %d requests to the API", err, l.called.Load())
	}
	if err := check(t.Context(), proxy+"/items"); err != nil || l.called.Load() != 1 {
		t.Errorf("a path: %v, after %d requests to the API", err, l.called.Load())
	}
	if err := check(t.Context(), proxy+"/none"); err == nil || !strings.Contains(err.Error(), "404 Not Found: no such item") {
		t.Errorf("404 is taken for health: %v", err)
	}
}

func TestLookUpRefusals(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"item":[]}`: "not deployed", `{}`: "not deployed", `{"item":[{"id":"a"},{"id":"b"}]}`: "2 REST APIs", `<html>`: "list the REST APIs: invalid character",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if id, err := find(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, error %v, want %s", body, id, err, want)
		}
		server.Close()
	}
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	if _, err := find(t.Context(), refusing.URL); err == nil || err.Error() != "list the REST APIs: 404 Not Found" {
		t.Errorf("error %v", err)
	}
}
