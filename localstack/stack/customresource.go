package stack

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

	"github.com/google/uuid"

	"github.com/eragon-mdi/ksu/localstack/lambda"
	"github.com/eragon-mdi/ksu/localstack/template"
)

// responsePath is where custom resources PUT their answers, in place of CloudFormation's presigned S3 URL.
const responsePath = "/cloudformation/response/"

// customResourceTimeout is how long a custom resource may take. CloudFormation waits an hour; a person does not.
const customResourceTimeout = 5 * time.Minute

// customResources runs the template's custom resources as CloudFormation does on a deployment: it invokes the function
// behind each with a Create request and waits for the answer at the request's ResponseURL.
//
// Every start is a Create, since the local stack keeps no state of deployments, and there are no Updates and Deletes.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-create.html.
type customResources struct {
	functions *lambda.Service
	endpoint  string

	mu      sync.Mutex
	waiting map[string]chan customResourceResponse
}

type customResourceRequest struct {
	RequestType        string
	ResponseURL        string
	StackId            string
	RequestId          string
	ResourceType       string
	LogicalResourceId  string
	ResourceProperties map[string]any
}

type customResourceResponse struct {
	Status             string
	Reason             string
	PhysicalResourceId string
}

func newCustomResources(functions *lambda.Service, endpoint string) *customResources {
	return &customResources{functions: functions, endpoint: endpoint, waiting: map[string]chan customResourceResponse{}}
}

// create runs one resource; function is the name of the function behind its ServiceToken.
func (c *customResources) create(ctx context.Context, r template.CustomResource, function, stackID string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, customResourceTimeout,
		fmt.Errorf("no answer within %s", customResourceTimeout))
	defer cancel()
	if err := c.functions.Init(ctx, function); err != nil { // it says more than the invocation of what cannot start
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, err)
	}
	request := customResourceRequest{
		RequestType: "Create", StackId: stackID, RequestId: uuid.NewString(),
		ResourceType: r.Type, LogicalResourceId: r.LogicalID, ResourceProperties: r.Properties,
	}
	request.ResponseURL = c.endpoint + responsePath + request.RequestId
	answer := make(chan customResourceResponse, 1)
	c.expect(request.RequestId, answer)
	defer c.expect(request.RequestId, nil)

	if err := c.invoke(ctx, function, request); err != nil {
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, err)
	}
	select {
	case response := <-answer:
		if response.Status != "SUCCESS" {
			return fmt.Errorf("custom resource %s failed: %s", r.LogicalID, response.Reason)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("custom resource %s: %w", r.LogicalID, context.Cause(ctx))
	}
}

func (c *customResources) invoke(ctx context.Context, function string, request customResourceRequest) error {
	payload, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	output, err := c.functions.Invoke(ctx, function, lambda.Input{Payload: payload})
	if err != nil {
		return err
	}
	if output.FunctionError != "" {
		return fmt.Errorf("function %s failed: %s", function, output.Payload)
	}
	return nil
}

func (c *customResources) expect(id string, answer chan customResourceResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer == nil {
		delete(c.waiting, id)
		return
	}
	c.waiting[id] = answer
}

// ServeHTTP takes the answers.
func (c *customResources) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := readResponse(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	answer, ok := c.waiting[strings.TrimPrefix(r.URL.Path, responsePath)]
	c.mu.Unlock()
	if !ok {
		http.Error(w, "no custom resource waits for this answer", http.StatusNotFound)
		return
	}
	select {
	case answer <- response:
	default: // answered already; the first one counts
	}
}

func readResponse(r *http.Request) (customResourceResponse, error) {
	var response customResourceResponse
	if r.Method != http.MethodPut {
		return response, errors.New("a custom resource's answer is a PUT")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10)) // CloudFormation takes 4 KB
	if err != nil {
		return response, fmt.Errorf("read the custom resource's answer: %w", err)
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return response, fmt.Errorf("decode the custom resource's answer: %w", err)
	}
	return response, nil
}
