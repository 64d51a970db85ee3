package lambda

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

var clients = []int{1, 16}

// BenchmarkInvoke runs a function that does nothing, from within the process.
func BenchmarkInvoke(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := setup(b, Options{Freeze: true}, built{binary("echo"), spec.Function{Name: "echo"}})
			spread(b, n, func() error {
				_, err := r.Invoke(context.Background(), "echo", spec.Input{Payload: []byte("{}")})
				return err
			})
		})
	}
}

// BenchmarkInvokeAPI runs it through the Invoke API. In turn with that, it runs a bare loop: the same processes behind
// a server that only passes an event out and its answer back. Other load on the machine affects both alike.
func BenchmarkInvokeAPI(b *testing.B) {
	const turn = 250 // invocations
	for _, n := range clients {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := setup(b, Options{Freeze: true}, built{binary("echo"), spec.Function{Name: "echo"}})
			server := httptest.NewServer(r.Handler())
			defer server.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: 2 * n}
			defer transport.CloseIdleConnections()
			ours := func() error { return post(transport, server.URL+functionsPath+"/echo/invocations") }
			address := startBareLoop(b, n)
			bare := func() error { return post(transport, "http://"+address+barePath) }
			share(b, n, 10*n, ours)
			share(b, n, 10*n, bare)
			var bareTook time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= turn {
				rounds := min(turn, left)
				share(b, n, rounds, ours)
				b.StopTimer()
				before := time.Now()
				share(b, n, rounds, bare)
				bareTook += time.Since(before)
				b.StartTimer()
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
			b.ReportMetric(float64(b.N)/bareTook.Seconds(), "bare-invocations/s")
			b.ReportMetric(100*bareTook.Seconds()/b.Elapsed().Seconds(), "%-of-bare")
		})
	}
}

// barePath is the path at which a bareLoop accepts events.
const barePath = "/invoke"

// bareLoop is a minimal Invoke API and Runtime API.
type bareLoop struct {
	events  chan bareEvent
	pending sync.Map // request id → the channel of the answer
	ids     atomic.Int64
}

type bareEvent struct {
	payload []byte
	answer  chan []byte
}

// startBareLoop starts a bareLoop with some environments, and returns its address.
func startBareLoop(b *testing.B, environments int) string {
	loop := &bareLoop{events: make(chan bareEvent)}
	server := httptest.NewServer(loop)
	b.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	address := server.Listener.Addr().String()
	for range environments {
		cmd := exec.Command(binary("echo"))
		cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + address}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	return address
}

func (l *bareLoop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch path, ok := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/"); {
	case !ok:
		e := bareEvent{body, make(chan []byte, 1)}
		l.events <- e
		_, _ = w.Write(<-e.answer)
	case r.Method == http.MethodGet:
		select {
		case e := <-l.events:
			id := fmt.Sprint(l.ids.Add(1))
			l.pending.Store(id, e.answer)
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			_, _ = w.Write(e.payload)
		case <-r.Context().Done():
		}
	default:
		w.WriteHeader(http.StatusAccepted)
		if answer, ok := l.pending.LoadAndDelete(strings.TrimSuffix(path, "/response")); ok {
			answer.(chan []byte) <- body
		}
	}
}

func post(transport http.RoundTripper, url string) error {
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return nil
}

// spread runs the benchmark's rounds on some clients, after each has warmed up.
func spread(b *testing.B, clients int, round func() error) {
	share(b, clients, 10*clients, round)
	b.ReportAllocs()
	b.ResetTimer()
	share(b, clients, b.N, round)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}

// share distributes rounds over some clients.
func share(b *testing.B, clients, rounds int, round func() error) {
	var left atomic.Int64
	left.Store(int64(rounds))
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := round(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
