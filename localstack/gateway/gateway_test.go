package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// invocation is the input of a fake function.
type invocation struct {
	function, trace string
	payload         []byte
}

// invokerFunc is a fake Invoker.
type invokerFunc func(context.Context, invocation) ([]byte, string, error)

func (f invokerFunc) Invoke(ctx context.Context, function string, in spec.Input) (*spec.Output, error) {
	payload, functionError, err := f(ctx, invocation{function, in.TraceID, in.Payload})
	if err != nil {
		return nil, err
	}
	return &spec.Output{Payload: payload, FunctionError: functionError}, nil
}

// answers returns an Invoker that always gives one answer.
func answers(answer string) spec.Invoker {
	return invokerFunc(func(context.Context, invocation) ([]byte, string, error) { return []byte(answer), "", nil })
}

// recorder keeps its input.
type recorder struct {
	mu   sync.Mutex
	seen []invocation
}

func (r *recorder) Invoke(_ context.Context, function string, in spec.Input) (*spec.Output, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, invocation{function, in.TraceID, in.Payload})
	return &spec.Output{Payload: []byte(`{"statusCode":200}`)}, nil
}

func (r *recorder) last() invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[len(r.seen)-1]
}

func testAPI(responses map[string]spec.GatewayResponse) spec.API {
	return spec.API{
		LogicalID: "Api", ID: "abcdefghij", StageName: "v1", GatewayResponses: responses,
		Routes: []spec.Route{
			{Method: "POST", Path: "/item", Function: "Api"},
			{Method: "GET", Path: "/item", Function: "Api"},
			{Method: "GET", Path: "/item/{id}/status", Function: "Api"},
		},
	}
}

func newGateway(t testing.TB, api spec.API, invoker spec.Invoker, o Options) *gateway {
	t.Helper()
	handler, err := New(api, invoker, o)
	if err != nil {
		t.Fatal(err)
	}
	return handler.(*gateway)
}

// request sends a request without a network.
func request(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTraceIDIsMadeAndPassedOn(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	g := newGateway(t, testAPI(nil), seen, Options{})

	r := request(g, "GET", "/item")
	trace := r.Header.Get("X-Amzn-Trace-Id")
	if !strings.HasPrefix(trace, "Root=1-") || len(trace) != len("Root=1-00000000-000000000000000000000000") {
		t.Errorf("trace id is %q", trace)
	}
	if seen.last().trace != trace || !strings.Contains(string(seen.last().payload), trace) {
		t.Errorf("the function did not get trace id %q", trace)
	}
	if r.Header.Get("X-Amzn-Requestid") == "" || r.Header.Get("X-Amz-Apigw-Id") == "" {
		t.Errorf("headers are %v; want request ids", r.Header)
	}

	given := "Root=1-65000000-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=bbbbbbbbbbbbbbbb;Sampled=1"
	r = request(g, "GET", "/item", "X-Amzn-Trace-Id", given)
	if seen.last().trace != given || r.Header.Get("X-Amzn-Trace-Id") != given {
		t.Errorf("the caller's trace id became %q", seen.last().trace)
	}
}

func TestInvocationGoesOnWithoutItsClient(t *testing.T) {
	t.Parallel()
	started, gone, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	server := httptest.NewServer(newGateway(t, testAPI(nil), invokerFunc(
		func(ctx context.Context, _ invocation) ([]byte, string, error) {
			close(started)
			<-gone
			ended <- ctx.Err()
			return []byte(`{}`), "", nil
		}), Options{}))
	defer server.Close()

	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/item", nil)
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		if response, err := server.Client().Do(r); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v; want a cancelled request", response, err)
		}
	})
	<-started
	cancel()
	done.Wait()
	close(gone)
	if err := <-ended; err != nil {
		t.Errorf("the invocation ended with its client: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	var logged string
	g := newGateway(t, testAPI(nil), invokerFunc(func(ctx context.Context, _ invocation) ([]byte, string, error) {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}), Options{Timeout: time.Millisecond, Log: func(message string) { logged = message }})
	r := request(g, "GET", "/item")
	if got := body(t, r); r.StatusCode != 504 || got != `{"message":"Endpoint request timed out"}` {
		t.Errorf("got %d %s", r.StatusCode, got)
	}
	if logged != "GET /item: Api: no answer within 1ms" {
		t.Errorf("logged %q", logged)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	server := httptest.NewServer(newGateway(t, testAPI(nil), seen, Options{}))
	defer server.Close()
	for size, want := range map[int]int{1 << 20: 200, maxEvent: 413, maxBody + 1: 413} {
		r, err := server.Client().Post(server.URL+"/item", "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, r)
		_ = r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("%d bytes: got %d %s; want %d", size, r.StatusCode, text, want)
		}
		refusal := `{"message":"Request Too Long"}`
		if size > maxBody {
			refusal = "HTTP content length exceeded 10485760 bytes."
		}
		if want == 413 && text != refusal {
			t.Errorf("%d bytes: got %s", size, text)
		}
	}
	if len(seen.seen) != 1 {
		t.Errorf("%d requests reached the function; want 1", len(seen.seen))
	}
}

func BenchmarkPost(b *testing.B) {
	g := newGateway(b, testAPI(nil), answers(
		`{"statusCode":201,"headers":{"Content-Type":"application/json","Location":"/item/1/status"},"body":"{\"id\":\"1\"}"}`), Options{})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/item", strings.NewReader(`{"name":"x"}`))
		r.Header.Set("User-Agent", "bench/1")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != 201 {
			b.Fatalf("got %d", w.Code)
		}
	}
}
