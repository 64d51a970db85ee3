package lambda

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var clients = []int{1, 16}

// BenchmarkInvoke runs a function that does nothing, from within the process: running on between invocations, and frozen.
func BenchmarkInvoke(b *testing.B) {
	for _, freeze := range []bool{false, true} {
		benchmarkInvoke(b, freeze)
	}
}

func benchmarkInvoke(b *testing.B, freeze bool) {
	for _, n := range clients {
		b.Run(fmt.Sprintf("freeze=%t/clients=%d", freeze, n), func(b *testing.B) {
			r := setup(b, Options{Freeze: freeze}, Function{Name: "echo", Binary: binary("echo")})
			spread(b, n, func() error {
				_, err := r.Invoke(context.Background(), "echo", Input{Payload: []byte("{}")})
				return err
			})
		})
	}
}

// BenchmarkInvokeAPI runs it through the Invoke API.
func BenchmarkInvokeAPI(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := setup(b, Options{}, Function{Name: "echo", Binary: binary("echo")})
			server := httptest.NewServer(r.Handler())
			defer server.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: n}
			defer transport.CloseIdleConnections()
			url := server.URL + functionsPath + "/echo/invocations"
			spread(b, n, func() error { return post(transport, url) })
		})
	}
}

// BenchmarkBareLoop is what the others are measured by: the same processes at a server that does nothing but hand out
// one event after the other.
func BenchmarkBareLoop(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			loop := &bareLoop{events: make(chan chan struct{})}
			server := &http.Server{Handler: loop}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = server.Serve(listener) }()
			defer server.Close()
			for range n {
				cmd := exec.Command(binary("echo"))
				cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			}
			spread(b, n, func() error {
				ended := make(chan struct{})
				loop.events <- ended
				<-ended
				return nil
			})
		})
	}
}

// bareLoop is a Runtime API without anything that Lambda does besides.
type bareLoop struct {
	events  chan chan struct{}
	pending sync.Map // request id → channel
	ids     atomic.Int64
}

func (l *bareLoop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		select {
		case ended := <-l.events:
			id := fmt.Sprint(l.ids.Add(1))
			l.pending.Store(id, ended)
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			_, _ = w.Write([]byte("{}"))
		case <-r.Context().Done():
		}
		return
	}
	_, _ = io.ReadAll(r.Body)
	w.WriteHeader(http.StatusAccepted)
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/"), "/response")
	ended, _ := l.pending.LoadAndDelete(id)
	close(ended.(chan struct{}))
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

// spread runs the benchmark's rounds on so many clients, after each has warmed up with one.
func spread(b *testing.B, clients int, round func() error) {
	run := func(rounds int64) {
		var left atomic.Int64
		left.Store(rounds)
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
	run(int64(10 * clients))
	b.ReportAllocs()
	b.ResetTimer()
	run(int64(b.N))
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}
