package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/eragon-mdi/ksu/shared/logging"
)

// open opens a log to a buffer.
func open(t testing.TB, change func(*logging.Config)) (*logging.Logger, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	cfg := logging.Config{Writer: out, Function: "api", Version: "v1"}
	if change != nil {
		change(&cfg)
	}
	log, err := logging.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return log, out
}

// invocation returns a context in the form of aws-lambda-go.
func invocation() context.Context {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "req-1"})
	return context.WithValue(ctx, "x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1") //nolint:staticcheck // the key is that of aws-lambda-go
}

// untimed returns a line without its time.
func untimed(t *testing.T, line string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if _, ok := m["time"]; !ok {
		t.Errorf("%s has no time", line)
	}
	delete(m, "time")
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryLineCarriesItsContext(t *testing.T) {
	t.Parallel()
	log, out := open(t, nil)
	ctx := logging.Task(invocation(), "t1", 2)
	for _, c := range []struct {
		log  func()
		want string
	}{
		{func() { log.InfoContext(ctx, "m", "k", 1) },
			`{"attempt":2,"function":"api","k":1,"level":"INFO","msg":"m","request_id":"req-1","task_id":"t1","trace_id":"1-67891233-abcdef012345678912345678","version":"v1"}`},
		{func() { log.Info("m") },
			`{"function":"api","level":"INFO","msg":"m","version":"v1"}`},
		{func() {
			log.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").WarnContext(logging.Task(context.Background(), "t2", 0), "m", "c", 3)
		},
			`{"a":1,"function":"api","g":{"b":2,"h":{"c":3}},"level":"WARN","msg":"m","task_id":"t2","version":"v1"}`},
		{func() { log.ErrorContext(logging.WithTrace(invocation(), "Sampled=0; Root=1-other"), "m") },
			`{"function":"api","level":"ERROR","msg":"m","request_id":"req-1","trace_id":"1-other","version":"v1"}`},
	} {
		out.Reset()
		c.log()
		if got := untimed(t, out.String()); got != c.want {
			t.Errorf("line %s\nwant %s", got, c.want)
		}
	}
}

func TestWithDoesNotReachTheOuterContext(t *testing.T) {
	t.Parallel()
	log, out := open(t, nil)
	outer := logging.With(context.Background(), slog.Int("a", 1))
	_ = logging.With(outer, slog.Int("b", 2))
	_ = logging.With(outer, slog.Int("c", 3))
	log.InfoContext(outer, "m")
	if got := untimed(t, out.String()); got != `{"a":1,"function":"api","level":"INFO","msg":"m","version":"v1"}` {
		t.Errorf("line %s", got)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	ctx := logging.WithTrace(invocation(), "") // a message without a trace
	if got := logging.TraceID(ctx); got != "1-67891233-abcdef012345678912345678" {
		t.Errorf("trace %q", got)
	}
	if got := logging.TraceHeader(logging.WithTrace(ctx, "Root=1-x")); got != "Root=1-x" {
		t.Errorf("header %q", got)
	}
	if got := logging.TraceID(context.Background()) + logging.TraceID(logging.WithTrace(ctx, "garbage")); got != "" {
		t.Errorf("trace %q out of nothing", got)
	}
}

type silent struct{}

func (silent) Error() string { return "" }

type recursive struct{}

func (recursive) Error() string   { return "again" }
func (r recursive) Unwrap() error { return r }

type nilPointer struct{ text string }

func (e *nilPointer) Error() string { return e.text }

func TestErrors(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused, `["connection refused"]`},
		{fmt.Errorf("claim task 7: %w", fmt.Errorf("query: %w", refused)), `["claim task 7","query","connection refused"]`},
		{fmt.Errorf("%w", refused), `["connection refused"]`},
		{fmt.Errorf("dial (%w) failed", refused), `["dial (…) failed","connection refused"]`},
		{&fs.PathError{Op: "open", Path: "f", Err: fs.ErrNotExist}, `["open f","file does not exist"]`},
		{errors.Join(fmt.Errorf("a: %w", refused), io.EOF), `[[["a","connection refused"],["EOF"]]]`},
		{fmt.Errorf("close: %w", errors.Join(io.EOF, io.ErrUnexpectedEOF)), `["close",[["EOF"],["unexpected EOF"]]]`},
		{fmt.Errorf("%w: %w", io.EOF, refused), `[[["EOF"],["connection refused"]]]`},
		{silent{}, `[""]`},
		{(*nilPointer)(nil), `["\u003cnil\u003e"]`},
		{recursive{}, `["again"]`},
	} {
		log, out := open(t, nil)
		log.Error("m", "error", c.err)
		var line struct{ Error json.RawMessage }
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || string(line.Error) != c.want {
			t.Errorf("error is %s, want %s (%v)", line.Error, c.want, err)
		}
	}
}

func TestErrorsInTextAndGroups(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("a: %w", io.EOF)
	log, out := open(t, func(c *logging.Config) { c.Handler = "text" })
	log.With("early", err).WithGroup("g").Error("m", "error", err)
	if !strings.HasSuffix(out.String(), ` level=ERROR msg=m function=api version=v1 early="a: EOF" g.error="a: EOF"`+"\n") {
		t.Errorf("line %s", out)
	}
	log, out = open(t, nil)
	log.With("early", err).WithGroup("g").Error("m", "error", err)
	if got := untimed(t, out.String()); got != `{"early":["a","EOF"],"function":"api","g":{"error":["a","EOF"]},"level":"ERROR","msg":"m","version":"v1"}` {
		t.Errorf("line %s", got)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	for _, handler := range []string{"json", "text"} {
		log, out := open(t, func(c *logging.Config) { c.Source, c.Handler = true, handler })
		log.Info("m")
		if !strings.Contains(out.String(), "logging/open_test.go:") || strings.Contains(out.String(), "/shared/") {
			t.Errorf("line %s", out)
		}
	}
}

func TestUnknownSettings(t *testing.T) {
	t.Parallel()
	if _, err := logging.Open(logging.Config{Handler: "xml"}); err == nil || err.Error() != `LOGGER_HANDLER is "xml"; allowed are json, text` {
		t.Errorf("error %v", err)
	}
	if _, err := logging.Open(logging.Config{Level: "loud"}); err == nil {
		t.Error("no error")
	}
}

// TestHandlerContract runs the standard library's checks of a slog.Handler.
func TestHandlerContract(t *testing.T) {
	t.Parallel()
	var out *bytes.Buffer
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		var log *logging.Logger
		log, out = open(t, nil)
		return log.Handler()
	}, func(t *testing.T) map[string]any {
		var m map[string]any
		if err := json.Unmarshal(out.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		return m
	})
}
