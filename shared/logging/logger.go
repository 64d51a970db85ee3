package logging

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/eragon-mdi/ksu/shared/logging/clickhouse"
)

// Logger is a slog.Logger that has something to flush.
type Logger struct {
	*slog.Logger
	sink         *clickhouse.Sink // nil where ClickHouse is not configured
	flushTimeout time.Duration
}

// Flush sends the lines that ClickHouse has not got, and returns when they are sent, when ctx ends, or at once while
// ClickHouse is known to be away. An error is for information: what is not sent stays, and the log says so itself.
func (l *Logger) Flush(ctx context.Context) error {
	if l.sink == nil {
		return nil
	}
	return l.sink.Flush(ctx)
}

// Close flushes while ctx lasts and ends what runs in the background. Later lines go to stdout only.
func (l *Logger) Close(ctx context.Context) error {
	if l.sink == nil {
		return nil
	}
	return l.sink.Close(ctx)
}

// lastLines is how long End takes: Lambda gives a process 500 ms from SIGTERM to SIGKILL, not all of them to its log.
const lastLines = 200 * time.Millisecond

// End is the last that a function does on SIGTERM: it sends what ClickHouse has not got, counts on stdout what could not
// be sent, and ends the process with exit status 0. See lambda.WithEnableSIGTERM, without which Lambda ends a process with
// SIGKILL.
func (l *Logger) End() {
	ctx, cancel := context.WithTimeout(context.Background(), lastLines)
	defer cancel()
	_ = l.Close(ctx) // the sink reports its troubles itself
	os.Exit(0)
}

// Wrap makes a Lambda handler, which is anything that lambda.Start takes, flush the log at the end of each invocation:
// after it, Lambda freezes the process. The flush takes at most FlushTimeout, and leaves some time before the function's
// own time-out. A handler that panics is flushed as well.
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

// plain is a handler of no type of aws-lambda-go's own: to such a one lambda.StartWithOptions does not apply its options,
// and a function that asked for the SIGTERM would not get it.
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
	_ = f.log.Flush(ctx) // the sink reports its troubles itself
}

// budget is the context of the flush of an invocation.
func (f flushing) budget(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(f.log.flushTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-spare).Before(until) {
		until = deadline.Add(-spare)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}
