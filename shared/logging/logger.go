package logging

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
)

// Logger is a slog.Logger with a buffer to flush.
type Logger struct {
	*slog.Logger
	sink         *clickhouse.Sink // nil if ClickHouse is not configured
	flushTimeout time.Duration
}

// Flush sends the buffered lines to ClickHouse. It returns when they are sent, when ctx ends, or at once while
// ClickHouse is known to be down. The error is for information: unsent lines stay in the buffer, and the log itself
// reports the failure.
func (l *Logger) Flush(ctx context.Context) error {
	if l.sink == nil {
		return nil
	}
	return l.sink.Flush(ctx)
}

// Close flushes until ctx ends, and ends the goroutine that sends. Later lines go to stdout only.
func (l *Logger) Close(ctx context.Context) error {
	if l.sink == nil {
		return nil
	}
	return l.sink.Close(ctx)
}

// lastLines is how long End takes at most. Lambda gives a process 500 ms from SIGTERM to SIGKILL, and the log gets a
// part.
const lastLines = 200 * time.Millisecond

// End is the last step of a function on SIGTERM. It sends the buffered lines, reports the number of unsent ones on stdout,
// and ends the process with status 0. Lambda announces the end only to functions with lambda.WithEnableSIGTERM.
func (l *Logger) End() {
	ctx, cancel := context.WithTimeout(context.Background(), lastLines)
	defer cancel()
	_ = l.Close(ctx) // the sink reports its failures itself
	os.Exit(0)
}

// Wrap returns a handler that flushes the log at the end of each invocation, even after a panic, since Lambda then
// freezes the process. handler is of any type that lambda.Start accepts. The flush takes at most FlushTimeout, and ends
// before the function's own time-out.
func (l *Logger) Wrap(handler any) lambda.Handler {
	next, ok := handler.(lambda.Handler)
	if !ok {
		next = lambda.NewHandler(handler)
	}
	if l.sink == nil {
		return plain{next}
	}
	return flushing{next: next, log: l}
}

// plain hides the handler's type. lambda.StartWithOptions ignores its options for handlers of lambda.NewHandler, and a
// function would not get the SIGTERM that it asked for.
type plain struct{ lambda.Handler }

// flushing is the handler that Wrap returns.
type flushing struct {
	next lambda.Handler
	log  *Logger
}

// spare is the time that a flush leaves for the answer before the function's time-out.
const spare = 100 * time.Millisecond

// Invoke implements lambda.Handler.
func (f flushing) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f.log.sink.Start() // connected while the handler works
	defer f.flush(ctx)
	return f.next.Invoke(ctx, payload)
}

func (f flushing) flush(ctx context.Context) {
	ctx, cancel := f.budget(ctx)
	defer cancel()
	_ = f.log.Flush(ctx) // the sink reports its failures itself
}

// budget is the context of an invocation's flush.
func (f flushing) budget(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(f.log.flushTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-spare).Before(until) {
		until = deadline.Add(-spare)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}
