package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// errNoStack means that nothing answers at the AWS endpoint.
var errNoStack = errors.New("no stack runs")

// variables asks Lambda's API for the stack's functions and returns their environment variables by logical id. A
// function's name is <stack>-<logical id>; LocalStack and AWS append -<random>. See
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html.
func variables(ctx context.Context, endpoint string) (map[string]map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+"/2015-03-31/functions", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("AWS endpoint %s: %w", endpoint, err)
	}
	// LocalStack finds the service by the signature's scope, and does not check the signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoStack, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("list the functions at %s: %w", endpoint, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("list the functions at %s: %s: %s", endpoint, answer.Status, body)
	}
	return readFunctions(body)
}

func readFunctions(body []byte) (map[string]map[string]string, error) {
	var list struct {
		Functions []struct {
			FunctionName string
			Environment  struct{ Variables map[string]string }
		}
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("list the functions: %w", err)
	}
	byID := map[string]map[string]string{}
	for _, f := range list.Functions {
		parts := strings.Split(f.FunctionName, "-")
		if len(parts) < 2 || f.Environment.Variables == nil {
			continue
		}
		byID[parts[1]] = f.Environment.Variables
	}
	if len(byID) == 0 {
		return nil, errors.New("the running stack has no functions")
	}
	return byID, nil
}
