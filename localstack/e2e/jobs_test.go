package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTypedJob(t *testing.T) { eachStorage(t, testTypedJob) }

// testTypedJob follows a task with a payload through two attempts to a JSON result, and another to its failure and its
// client's retry.
func testTypedJob(t *testing.T, storage string) {
	var mu sync.Mutex
	var asked []time.Time
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked, keys = append(asked, time.Now()), append(keys, r.Header.Get("Idempotency-Key"))
		if len(asked) == 1 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "%s %s", r.Method, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	s := start(t, t.TempDir(), "Semaphore=2 HttpAllow="+server.Listener.Addr().String(), "--storage", storage)

	type whole struct {
		ID, Type, Status, Error string
		Attempts                []struct {
			Number         int
			Started, Ended time.Time
			Error          string
		}
		Result struct {
			Status int
			Body   string
		}
	}
	ask := func(method, path, body string, want int) (w whole) {
		t.Helper()
		r := s.do(method, path, body)
		if err := json.Unmarshal([]byte(r.body), &w); err != nil || r.status != want {
			t.Fatalf("%s %s: %d %s, %v; want %d", method, path, r.status, r.body, err, want)
		}
		return w
	}
	id := ask("POST", "/task", `{"type":"http","payload":{"method":"PUT","url":"`+server.URL+`/?token=geheim","headers":{"Authorization":"geheim"}}}`, 201).ID
	s.until("the second attempt to complete the task", 40*time.Second, func() bool { return s.status(id) == "completed" })
	got := ask("GET", "/task/"+id, "", 200)
	if got.Type != "http" || got.Result.Status != 200 || got.Result.Body != "PUT geheim" {
		t.Errorf("the task is %+v", got)
	}
	if len(got.Attempts) != 2 || !strings.Contains(got.Attempts[0].Error, "answered 503") || got.Attempts[1].Error != "" {
		t.Errorf("its attempts are %+v", got.Attempts)
	}
	if r := s.do("GET", "/task/"+id+"/result", ""); !strings.HasPrefix(r.body, `{"result":{"status":200,"headers":{`) {
		t.Errorf("its result is %s", r.body)
	}
	mu.Lock()
	if !slices.Equal(keys, []string{id, id}) {
		t.Errorf("the server saw the keys %v, want the task's id twice", keys)
	}
	if wait := asked[1].Sub(asked[0]); wait < 2*time.Second || wait > 30*time.Second {
		t.Errorf("the second attempt came %s after the first; want the 2 s of Retry-After, and not the next minute", wait)
	}
	mu.Unlock()

	id = ask("POST", "/task", `{"type":"http","payload":{"url":"http://169.254.169.254/?token=geheim"}}`, 201).ID
	for attempts := 1; attempts <= 2; attempts++ {
		s.until("the task to fail", 20*time.Second, func() bool { return s.status(id) == "failed by io bound" })
		if got := ask("GET", "/task/"+id, "", 200); len(got.Attempts) != attempts || !strings.Contains(got.Error, "the address is not public") {
			t.Errorf("after %d attempts the task is %+v", attempts, got)
		}
		if attempts == 1 {
			ask("POST", "/task/"+id+"/retry", "", 200)
		}
	}
	if r := s.do("GET", "/task?type=http", ""); strings.Count(r.body, `"type":"http"`) != 2 {
		t.Errorf("the list of the type: %s", r.body)
	}
	if strings.Contains(s.output(), "geheim") {
		t.Error("the log shows a secret of a payload or a result")
	}
}
