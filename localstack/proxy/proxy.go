package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// find asks LocalStack for its REST API and returns the base URL of a stage. The API's id is another in every stack.
// See https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html.
func find(ctx context.Context, endpoint, stage string) (*url.URL, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/restapis", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", endpoint, err)
	}
	// LocalStack tells its services apart by the signature's scope; nobody checks it.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0")
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("list the REST APIs: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var list struct {
		Item []struct{ ID string }
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("list the REST APIs: %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("list the REST APIs: %w", err)
	}
	switch len(list.Item) {
	case 0:
		return nil, errors.New("LocalStack has no REST API: the template is not deployed")
	case 1:
		return url.Parse(endpoint + "/_aws/execute-api/" + list.Item[0].ID + "/" + stage)
	}
	return nil, fmt.Errorf("LocalStack has %d REST APIs; the proxy is for the only one", len(list.Item))
}

// to hands requests on to a base URL.
func to(base *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(base)
		r.SetXForwarded()
	}}
}
