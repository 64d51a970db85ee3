package e2e_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkColdStart measures the time from the start of a function's process to its first request for an invocation.
// Beside it run an aws-lambda-go function that does nothing, and one that only connects to Postgres. The functions are
// built as for Lambda and start in turn, so that other load affects all alike. The figures are medians.
func BenchmarkColdStart(b *testing.B) {
	dirs := []string{"testdata/hello", "testdata/hellopgx", "../../functions/api", "../../functions/worker",
		"../../functions/sweeper", "../../migrate"}
	binaries := b.TempDir()
	for _, dir := range dirs {
		// The flags are those of `make build`.
		cmd := exec.Command("go", "build", "-o", filepath.Join(binaries, filepath.Base(dir)), "-trimpath", "-ldflags=-s -w",
			"-tags=lambda.norpc,nopprof,nosqlite", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("build %s: %v\n%s", dir, err, out)
		}
	}
	next := make(chan struct{})
	api := runtimeAPI(b, next)
	database := postgresURL(b)
	took := make([][]time.Duration, len(dirs))
	for b.Loop() {
		for i, dir := range dirs {
			name := filepath.Base(dir)
			cmd := exec.Command(filepath.Join(binaries, name))
			cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + api, "DATABASE_URL=" + database, "AWS_REGION=us-east-1", "GOMAXPROCS=1",
				"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_LAMBDA_FUNCTION_NAME=" + name,
				"TASK_QUEUE_URL=http://127.0.0.1:4566/000000000000/tasks"}
			cmd.Stderr = os.Stderr
			before := time.Now()
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			exited := make(chan error, 1)
			go func() { exited <- cmd.Wait() }()
			select {
			case <-next:
				took[i] = append(took[i], time.Since(before))
			case err := <-exited:
				b.Fatalf("%s ended before it asked for an invocation: %v", name, err)
			}
			_ = cmd.Process.Kill()
			if err := <-exited; err == nil {
				b.Fatalf("%s ended by itself", name)
			}
		}
	}
	var hello float64
	for i, dir := range dirs {
		slices.Sort(took[i])
		median := milliseconds(took[i][len(took[i])/2])
		if i == 0 {
			hello = median
		}
		b.ReportMetric(median, filepath.Base(dir)+"-ms")
		b.ReportMetric(median/hello, filepath.Base(dir)+"/hello")
	}
}

// runtimeAPI is a Runtime API that reports requests for an invocation and never has one.
func runtimeAPI(b *testing.B, next chan<- struct{}) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/extension/register"):
			w.Header().Set("Lambda-Extension-Identifier", "1")
			return
		case strings.HasSuffix(path, "/runtime/invocation/next"):
			next <- struct{}{}
		}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}
