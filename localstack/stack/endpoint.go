package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/customresource"
)

// awsEndpoint is the one address that SDKs and the aws CLI are pointed at (AWS_ENDPOINT_URL). Services are told apart
// as AWS's own protocols do: SQS by its X-Amz-Target, Lambda by its versioned path.
func awsEndpoint(sqs, functions, customResources http.Handler) http.Handler {
	return fromThisMachine(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	}))
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
	if s.aws, err = s.listen(s.options.AWSPort, "the AWS endpoint", "--aws-port", "AWS_PORT"); err != nil {
		return err
	}
	s.awsServer = newServer(&s.awsFront)
	s.serve(s.awsServer, s.aws)
	return nil
}

func (s *stack) listenAPI(context.Context) (err error) {
	if s.api, err = s.listen(s.port(), "the REST API", "--port", "PORT"); err != nil {
		return err
	}
	s.apiServer = newServer(&s.apiFront)
	s.setTimeouts(s.apiServer)
	s.serve(s.apiServer, s.api)
	return nil
}

func (s *stack) apiURL() string { return "http://" + s.api.Addr().String() }
func (s *stack) awsURL() string { return "http://" + s.aws.Addr().String() }

// listen opens a loopback port until the stack stops; what, option and variable name it in the error.
func (s *stack) listen(port int, what, option, variable string) (net.Listener, error) {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen: %w; free the port or choose another with %s (make run %s=…), 0 for any free one",
			what, err, option, variable)
	}
	s.onStop(func(context.Context) error { return closed(l.Close()) })
	return l, nil
}

// closed forgives closing twice: a server closes its listener too.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// newServer returns a server for loopback clients. Time-outs end connections that send nothing; an answer may take as
// long as the longest function, 15 minutes.
func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}
