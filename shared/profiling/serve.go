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
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	go func() { slog.Error("profiles no longer served", "error", server.Serve(listener)) }()
	return nil
}
