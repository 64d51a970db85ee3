// Command proxy serves a LocalStack's REST API at the root. LocalStack serves it below /_aws/execute-api/<id>/<stage>.
//
//	proxy --listen 127.0.0.1:8080 --endpoint http://127.0.0.1:4566 --stage v1
//	proxy --check http://127.0.0.1:8080     # a health check of a running proxy
//	proxy --check http://127.0.0.1:8080/path
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
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
	at := flag.String("check", "", "URL of a running proxy to ask instead of serving; the exit status is 0 if it answers 2xx. "+
		"Without a path the proxy looks its API up, and calls no function")
	flag.Parse()
	if *at != "" {
		return check(ctx, *at)
	}
	slog.Info("proxy serves", "listen", *listen, "endpoint", *endpoint)
	return serve(ctx, *listen, &api{endpoint: strings.TrimSuffix(*endpoint, "/"), stage: *stage})
}

func serve(ctx context.Context, listen string, a *api) error {
	server := &http.Server{Addr: listen, Handler: handler(a), ReadHeaderTimeout: 10 * time.Second}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // cuts off requests that take longer
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-answered
	return nil
}

// check requests a URL, or the proxy's health if the URL has no path. The error has the answer.
func check(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	target, err := url.Parse(at)
	if err != nil {
		return err
	}
	if target.Path == "" {
		target.Path = healthPath
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("%s answers %s: %s", at, answer.Status, body)
	}
	return nil
}
