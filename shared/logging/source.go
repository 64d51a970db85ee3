package logging

import (
	"log/slog"
	"path/filepath"
	"strconv"
)

// shortSource shortens the built-in attribute source to folder/file.go:line: the whole path is that of the build
// machine.
func shortSource(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 || a.Key != slog.SourceKey || a.Value.Kind() != slog.KindAny {
		return a
	}
	if source, ok := a.Value.Any().(*slog.Source); ok {
		folder, file := filepath.Base(filepath.Dir(source.File)), filepath.Base(source.File)
		a.Value = slog.StringValue(filepath.Join(folder, file) + ":" + strconv.Itoa(source.Line))
	}
	return a
}
