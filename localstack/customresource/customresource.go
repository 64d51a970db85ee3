// Package customresource runs the custom resources of a template as CloudFormation does on a deployment. It invokes the
// function behind each with a Create request and waits for the answer at the request's ResponseURL.
//
// Every start is a Create. The local stack keeps no state of deployments, so it sends no Update and no Delete. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-create.html.
package customresource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/eragon-mdi/ksu/localstack/awsid"
	"github.com/eragon-mdi/ksu/localstack/listen"
	"github.com/eragon-mdi/ksu/localstack/spec"
)

// Path is where custom resources PUT their answers, in place of CloudFormation's presigned S3 URL.
const Path = "/cloudformation/response/"

// patience is how long a custom resource may take. CloudFormation waits for an hour.
const patience = 5 * time.Minute

// Functions runs the functions behind custom resources, such as *lambda.Service.
type Functions interface {
	spec.Invoker
	// Init starts an environment of a function. Its error says why the function cannot start.
	Init(ctx context.Context, function string) error
}

// Service runs custom resources. It is also the handler that receives their answers. It is safe for concurrent use.
type Service struct {
	functions Functions
	endpoint  string

	mu      sync.Mutex
	waiting map[string]chan response
}

// New returns a service whose functions answer at Path of endpoint, a URL without a trailing slash.
func New(functions Functions, endpoint string) *Service {
	return &Service{functions: functions, endpoint: endpoint, waiting: map[string]chan response{}}
}

type request struct {
	RequestType        string
	ResponseURL        string
	StackId            string
	RequestId          string
	ResourceType       string
	LogicalResourceId  string
	ResourceProperties map[string]any
}

type response struct {
	Status             string
	Reason             string
	PhysicalResourceId string
}

// Create runs one resource of the stack with an id. The error has the function's reason, or says why it did not answer
// within 5 minutes.
func (s *Service) Create(ctx context.Context, r spec.CustomResource, stackID string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %s", patience))
	defer cancel()
	if err := s.functions.Init(ctx, r.Function); err != nil { // its error says more than an invocation's
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, err)
	}
	id := awsid.NewRequestID()
	answer := s.expect(id)
	defer s.forget(id)
	err := s.invoke(ctx, r.Function, request{
		RequestType: "Create", StackId: stackID, RequestId: id, ResponseURL: s.endpoint + Path + id,
		ResourceType: r.Type, LogicalResourceId: r.LogicalID, ResourceProperties: r.Properties,
	})
	if err != nil {
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, err)
	}
	select {
	case answered := <-answer:
		if answered.Status != "SUCCESS" {
			return fmt.Errorf("custom resource %s failed: %s", r.LogicalID, answered.Reason)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, context.Cause(ctx))
	}
}

func (s *Service) invoke(ctx context.Context, function string, r request) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	output, err := s.functions.Invoke(ctx, function, spec.Input{Payload: payload})
	if err != nil {
		return err
	}
	if output.FunctionError != "" {
		return fmt.Errorf("function %s failed: %s", function, output.Payload)
	}
	return nil
}

// expect returns the channel that gets the first answer to a request.
func (s *Service) expect(id string) <-chan response {
	answer := make(chan response, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[id] = answer
	return answer
}

func (s *Service) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
}

// ServeHTTP receives an answer.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answered, err := readResponse(w, r)
	if err != nil {
		http.Error(w, err.Error(), listen.BodyStatus(err))
		return
	}
	s.mu.Lock()
	answer, ok := s.waiting[strings.TrimPrefix(r.URL.Path, Path)]
	s.mu.Unlock()
	if !ok {
		http.Error(w, "no custom resource waits for this answer", http.StatusNotFound)
		return
	}
	select {
	case answer <- answered:
	default: // only the first answer counts
	}
	w.WriteHeader(http.StatusOK)
}

// maxAnswer is in bytes. CloudFormation accepts 4 KB.
const maxAnswer = 64 << 10

func readResponse(w http.ResponseWriter, r *http.Request) (response, error) {
	var answered response
	if r.Method != http.MethodPut {
		return answered, errors.New("a custom resource's answer must be a PUT")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		return answered, fmt.Errorf("read the custom resource's answer: %w", err)
	}
	if err := json.Unmarshal(body, &answered); err != nil {
		return answered, fmt.Errorf("decode the custom resource's answer: %w", err)
	}
	if answered.Status != "SUCCESS" && answered.Status != "FAILED" {
		return answered, fmt.Errorf("the custom resource's answer has Status %q; allowed are FAILED, SUCCESS", answered.Status)
	}
	return answered, nil
}
