package logging

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

type (
	attrsKey struct{}
	traceKey struct{}
)

// With returns a context whose lines carry the attributes, besides those of ctx.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	before, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return context.WithValue(ctx, attrsKey{}, append(slices.Clip(before), attrs...))
}

// Task returns a context whose lines carry a task's id and, unless it is 0, its attempt.
func Task(ctx context.Context, id string, attempt int) context.Context {
	if attempt == 0 {
		return With(ctx, slog.String("task_id", id))
	}
	return With(ctx, slog.String("task_id", id), slog.Int("attempt", attempt))
}

// WithTrace returns a context in the trace of an X-Ray header, instead of the invocation's own trace. So a task's run
// continues the trace of its submission. An empty header changes nothing.
func WithTrace(ctx context.Context, header string) context.Context {
	if header == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, header)
}

// TraceHeader returns the X-Ray header of the context, for messages that it sends; "" without a trace.
func TraceHeader(ctx context.Context) string {
	if header, ok := ctx.Value(traceKey{}).(string); ok {
		return header
	}
	// aws-lambda-go puts the invocation's header under this untyped key, which the X-Ray SDK reads as well. It also sets
	// _X_AMZN_TRACE_ID, which all contexts of the process share.
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	return header
}

// TraceID returns the trace id of the context, such as 1-5759e988-bd862e3fe1be46a994272793; "" without a trace.
func TraceID(ctx context.Context) string { return root(TraceHeader(ctx)) }

// root returns the trace id of a header such as Root=1-5759e988-…;Parent=…;Sampled=1. See
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader.
func root(header string) string {
	for field := range strings.SplitSeq(header, ";") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return id
		}
	}
	return ""
}

// attributes appends the attributes of ctx.
func attributes(ctx context.Context, to []slog.Attr) []slog.Attr {
	if ctx == nil {
		return to
	}
	if invocation, ok := lambdacontext.FromContext(ctx); ok && invocation.AwsRequestID != "" {
		to = append(to, slog.String("request_id", invocation.AwsRequestID))
	}
	if trace := TraceID(ctx); trace != "" {
		to = append(to, slog.String("trace_id", trace))
	}
	more, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return append(to, more...)
}
