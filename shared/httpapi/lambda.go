package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// answerTime is the time between the end of a request's context and the function's time-out. So if the database does
// not answer, clients get 503; a killed function would be a 502 or 504.
const answerTime = 2 * time.Second

// Lambda adapts a handler to the REST API event of API Gateway (payload version 1). The returned function never fails:
// an event that is not an HTTP request gets 400, because a function error would become a 502.
func Lambda(h http.Handler, log *slog.Logger) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	adapter := httpadapter.New(h)
	return func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		e.Path = escaped(e.Path)
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
			defer cancel()
		}
		answer, err := adapter.ProxyWithContext(ctx, e)
		if err != nil {
			log.ErrorContext(ctx, "event is not an HTTP request", "method", e.HTTPMethod, "path", e.Path, "error", err)
			return badRequest(), nil
		}
		return answer, nil
	}
}

// escaped returns a path that a URL parser accepts. The gateway passes the client's path on unchanged, and a client may
// send bytes or percent signs that are not a valid encoding.
func escaped(path string) string {
	if u, err := url.ParseRequestURI(path); err == nil && u.RawQuery == "" && u.Host == "" && !strings.Contains(path, "#") {
		return path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

func badRequest() events.APIGatewayProxyResponse {
	answer := &heldResponse{header: http.Header{}}
	writeProblem(answer, http.StatusBadRequest, "the request could not be understood")
	return events.APIGatewayProxyResponse{
		StatusCode:        answer.status,
		MultiValueHeaders: answer.header,
		Body:              answer.body.String(),
	}
}
