package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// faultyQueue stands between the functions and the SQS endpoint. Functions reach it through AWS_ENDPOINT_URL_SQS, which
// takes precedence over AWS_ENDPOINT_URL in the SDK.
type faultyQueue struct {
	url string

	mu       sync.Mutex
	endpoint string
	mode     string // a fault, or ""
	until    time.Time

	refused, doubled atomic.Int64 // messages
}

func newFaultyQueue(t *testing.T) *faultyQueue {
	t.Helper()
	q := &faultyQueue{}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	q.url = server.URL
	return q
}

// leadTo sets the endpoint of the requests, which changes when the stack restarts.
func (q *faultyQueue) leadTo(endpoint string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endpoint = endpoint
}

// fail makes the endpoint faulty for a while.
func (q *faultyQueue) fail(mode string, during time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mode, q.until = mode, time.Now().Add(during)
}

func (q *faultyQueue) now() (endpoint, mode string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Now().After(q.until) {
		q.mode = ""
	}
	return q.endpoint, q.mode
}

func (q *faultyQueue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, mode := q.now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the function is gone
	}
	if r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" {
		mode = ""
	}
	times := 1
	switch mode {
	case "SQS answers 500":
		q.refused.Add(1)
		internalFailure(w)
		return
	case "SQS takes messages twice":
		q.doubled.Add(1)
		times = 2
	case "SQS answers 500 falsely":
		q.doubled.Add(1)
		defer internalFailure(w)
		w = httptest.NewRecorder()
	}
	for range times - 1 {
		forward(httptest.NewRecorder(), r, endpoint, body)
	}
	forward(w, r, endpoint, body)
}

func internalFailure(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#InternalFailure","message":"injected"}`)
}

func forward(w http.ResponseWriter, r *http.Request, endpoint string, body []byte) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, endpoint+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	request.Header = r.Header.Clone()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(http.ErrAbortHandler) // the stack is gone: the connection ends
	}
	defer func() { _ = answer.Body.Close() }()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}
