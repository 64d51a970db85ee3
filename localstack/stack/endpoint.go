package stack

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/customresource"
	"github.com/eragon-mdi/ksu/localstack/listen"
)

// awsEndpoint is the one address that SDKs and the aws CLI are pointed at (AWS_ENDPOINT_URL). Services are told apart
// as AWS's own protocols do: SQS by its X-Amz-Target, Lambda by its versioned path.
func awsEndpoint(sqs, functions, customResources http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		switch {
		case strings.HasPrefix(target, "AmazonSQS."):
			sqs.ServeHTTP(w, r)
		case target == "" && strings.HasPrefix(r.URL.Path, "/2015-03-31/"):
			functions.ServeHTTP(w, r)
		case target == "" && strings.HasPrefix(r.URL.Path, customresource.Path):
			customResources.ServeHTTP(w, r)
		default:
			unknownOperation(w, r, target)
		}
	})
}

func unknownOperation(w http.ResponseWriter, r *http.Request, target string) {
	if target == "" {
		target = r.Method + " " + r.URL.Path
	}
	awsid.WriteError(w, http.StatusNotFound, "UnknownOperationException",
		"the local stack serves SQS (JSON protocol) and Lambda's functions API, not "+target)
}

// listenAWS and listenAPI take the ports before anything runs that would have to end if somebody else had them, and
// answer there that the stack is starting.
func (s *stack) listenAWS(context.Context) (err error) {
	s.aws, err = s.listen(listen.Options{Port: s.options.AWSPort, Shape: listen.AWS}, "the AWS endpoint", "--aws-port", "AWS_PORT")
	return err
}

func (s *stack) listenAPI(context.Context) (err error) {
	s.api, err = s.listen(listen.Options{Port: s.port(), Timeouts: s.timeouts()}, "the REST API", "--port", "PORT")
	return err
}

// listen opens a loopback port until the stack stops; what, option and variable name it in the error.
func (s *stack) listen(o listen.Options, what, option, variable string) (*listen.Port, error) {
	o.AllowHosts, o.Log, o.Failed = s.options.AllowHosts, s.logOf("http"), func(err error) { s.failed <- err }
	port, err := listen.Open(o)
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen: %w; free the port or choose another with %s (make run %s=…), 0 for any free one",
			what, err, option, variable)
	}
	s.onStop(closePort(port))
	return port, nil
}

// closePort gives a port back; what it was asked has some time to be answered. Doing it again does nothing.
func closePort(port *listen.Port) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		return port.Close(ctx)
	}
}
