// Command proxy serves LocalStack's REST API at its own root: LocalStack has it below /_aws/execute-api/<id>/<stage>.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("proxy ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	endpoint := flag.String("endpoint", "http://127.0.0.1:4566", "LocalStack's AWS endpoint")
	stage := flag.String("stage", "v1", "the API's stage")
	url := flag.String("check", "", "URL to ask instead of serving: exit status 0 if it answers 2xx, for health checks")
	flag.Parse()
	if *url != "" {
		return check(ctx, *url)
	}
	base, err := find(ctx, *endpoint, *stage)
	if err != nil {
		return err
	}
	slog.Info("proxy serves", "listen", *listen, "target", base.String())
	server := &http.Server{Addr: *listen, Handler: to(base), ReadHeaderTimeout: 10 * time.Second}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // what takes longer is cut off
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-answered
	return nil
}

// check asks a URL.
func check(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
