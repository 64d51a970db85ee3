package e2e_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ksu/localstack/build"
)

// BenchmarkColdStart is the time from the start of a function's process to its first request for an invocation, beside
// a hello of aws-lambda-go that does nothing else, and one that connects to Postgres.
func BenchmarkColdStart(b *testing.B) {
	functions := []build.Function{
		{Name: "hello", Dir: "testdata/hello", BuildMethod: "go1.x"},
		{Name: "hello-pgx", Dir: "testdata/hellopgx", BuildMethod: "go1.x"},
		{Name: "api", Dir: "../../functions/api", BuildMethod: "go1.x"},
		{Name: "worker", Dir: "../../functions/worker", BuildMethod: "go1.x"},
		{Name: "sweeper", Dir: "../../functions/sweeper", BuildMethod: "go1.x"},
		{Name: "migrate", Dir: "../../migrate", BuildMethod: "go1.x"},
	}
	for i := range functions {
		dir, err := filepath.Abs(functions[i].Dir)
		if err != nil {
			b.Fatal(err)
		}
		functions[i].Dir = dir
	}
	binaries, err := build.Build(b.Context(), functions, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	database := postgresURL(b)
	for _, f := range functions {
		b.Run(f.Name, func(b *testing.B) {
			next := make(chan struct{})
			api := runtimeAPI(b, next)
			for b.Loop() {
				cmd := exec.Command(binaries[f.Name])
				cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + api, "DATABASE_URL=" + database, "AWS_REGION=us-east-1",
					"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
					"TASK_QUEUE_URL=http://127.0.0.1:4566/000000000000/tasks"}
				cmd.Stderr = os.Stderr
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				exited := make(chan error, 1)
				go func() { exited <- cmd.Wait() }()
				select {
				case <-next:
				case err := <-exited:
					b.Fatalf("%s ended before it asked for an invocation: %v", f.Name, err)
				}
				b.StopTimer()
				_ = cmd.Process.Kill()
				<-exited
				b.StartTimer()
			}
		})
	}
}

// runtimeAPI is a Runtime API that tells of a request for an invocation and never has one.
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
