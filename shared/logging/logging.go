// Package logging sets up the structured log that all functions write.
package logging

import (
	"fmt"
	"io"
	"log/slog"
)

// New returns a logger that writes JSON lines to w, from the given level up: debug, info, warn or error; "" is info.
func New(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	switch level {
	case "", "info":
		l = slog.LevelInfo
	case "debug":
		l = slog.LevelDebug
	case "warn":
		l = slog.LevelWarn
	case "error":
		l = slog.LevelError
	default:
		return nil, fmt.Errorf("LOG_LEVEL is %q; allowed are debug, info, warn, error", level)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
}
