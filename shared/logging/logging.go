// Package logging sets up the structured log of all functions. Lines go to stdout always, and to ClickHouse if it is
// configured. Every line carries the function, its version, and the context's attributes: the invocation's request id, the
// trace, and those of With, such as the task.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
)

func parse(level string) (slog.Level, error) {
	switch level {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("LOGGER_LEVEL is %q; allowed are debug, info, warn, error", level)
	}
}

// Config says which lines to log, and their form and destination. The zero value logs JSON from info up to stdout.
type Config struct {
	// Writer gets the lines; nil means stdout.
	Writer io.Writer
	// Handler is the lines' form: json or text, as in package slog; "" means json.
	Handler string
	// Level is the lowest level that is logged: debug, info, warn or error; "" means info.
	Level string
	// Source adds file and line of the caller.
	Source bool
	// Function and Version name the program. The defaults are the Lambda function's name, and the commit that it was
	// built from, else the Lambda function's version.
	Function, Version string
	// ClickHouse gets the lines too, if its Address is set. Open fills in Level, Source, Function, Version and Log.
	ClickHouse clickhouse.Config
	// FlushTimeout is how long the end of an invocation may wait for ClickHouse; 0 means 200 ms.
	FlushTimeout time.Duration
}

// Open sets up the log. The caller closes it at the end of the process. Open fails for an unknown level or form, and
// for a wrong address.
func Open(cfg Config) (*Logger, error) {
	level, err := parse(cfg.Level)
	if err != nil {
		return nil, err
	}
	if cfg.Writer == nil {
		cfg.Writer = os.Stdout
	}
	if cfg.Function == "" {
		cfg.Function = lambdacontext.FunctionName
	}
	if cfg.Version == "" {
		cfg.Version = version()
	}
	if cfg.FlushTimeout <= 0 {
		cfg.FlushTimeout = 200 * time.Millisecond
	}
	stdout, err := output(cfg, level)
	if err != nil {
		return nil, err
	}
	l := &Logger{flushTimeout: cfg.FlushTimeout}
	handler := stdout
	if cfg.ClickHouse.Address != "" {
		sent := cfg.ClickHouse
		sent.Level, sent.Source, sent.Function, sent.Version = level, cfg.Source, cfg.Function, cfg.Version
		sent.Log = slog.New(&contextual{next: stdout})
		if l.sink, err = clickhouse.Open(sent); err != nil {
			return nil, err
		}
		handler = slog.NewMultiHandler(stdout, l.sink.Handler())
	}
	l.Logger = slog.New(&contextual{next: handler})
	return l, nil
}

// output is the handler of the writer, with the attributes of every line.
func output(cfg Config, level slog.Level) (slog.Handler, error) {
	options := &slog.HandlerOptions{Level: level, AddSource: cfg.Source}
	if cfg.Source {
		options.ReplaceAttr = shortSource
	}
	var handler slog.Handler
	switch {
	case cfg.Handler == "" || cfg.Handler == "json":
		handler = slog.NewJSONHandler(cfg.Writer, options)
	case cfg.Handler != "text":
		return nil, fmt.Errorf("LOGGER_HANDLER is %q; allowed are json, text", cfg.Handler)
	default:
		handler = slog.NewTextHandler(cfg.Writer, options)
	}
	return handler.WithAttrs([]slog.Attr{slog.String("function", cfg.Function), slog.String("version", cfg.Version)}), nil
}

// commit is set by the linker in builds for deployment, which lack Go's own build information: -X
// github.com/eragon-mdi/ksu/shared/logging.commit=….
var commit string

// version returns the commit that the program was built from, with + for uncommitted changes; else Lambda's version.
func version() string {
	if commit != "" {
		return commit
	}
	return lambdacontext.FunctionVersion
}
