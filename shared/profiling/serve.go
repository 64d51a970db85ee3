//go:build !nopprof

package profiling

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof" // into http.DefaultServeMux
	"os"
	"strconv"
	"strings"
	"time"
)

// Serve serves /debug/pprof/ in the background for as long as the process lives. It does nothing if Variable is not set.
func Serve() error {
	text := os.Getenv(Variable)
	if text == "" {
		return nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return fmt.Errorf("%s is %q; allowed is the number of a file descriptor above 2", Variable, text)
	}
	file := os.NewFile(uintptr(fd), "pprof")
	listener, err := net.FileListener(file)
	if err := errors.Join(err, file.Close()); err != nil { // the listener has a descriptor of its own
		return fmt.Errorf("%s is %d: %w", Variable, fd, err)
	}
	server := &http.Server{Handler: local(http.DefaultServeMux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { slog.Error("profiles no longer served", "error", server.Serve(listener)) }()
	return nil
}

// local passes requests for this machine's own names. A web page whose name resolves to this machine (DNS rebinding)
// sends its name as the Host, and must not read the profiles.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("the Host header is %q; allowed are localhost and loopback addresses", r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
