package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// api is the only REST API of a LocalStack. Its id changes with each deployment, and so with each start of LocalStack.
type api struct {
	endpoint, stage string

	mu   sync.Mutex
	base *url.URL // nil until the API is found
}

// url returns the base URL of the API's stage. It asks LocalStack if the id is unknown or equals stale.
func (a *api) url(ctx context.Context, stale *url.URL) (*url.URL, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.base != nil && a.base != stale {
		return a.base, nil
	}
	a.base = nil
	id, err := find(ctx, a.endpoint)
	if err != nil {
		return nil, err
	}
	a.base, err = url.Parse(a.endpoint + "/_aws/execute-api/" + id + "/" + a.stage)
	return a.base, err
}

// longestBody is API Gateway's limit and one byte more, so that LocalStack refuses a longer body itself.
const longestBody = 10<<20 + 1

// RoundTrip sends a request to the API. If LocalStack does not know the id any more, it has called no function, so
// RoundTrip sends the request again to the new id.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, longestBody)); err != nil {
			return nil, fmt.Errorf("read the request's body: %w", err)
		}
	}
	var base *url.URL
	for range 2 {
		var err error
		if base, err = a.url(r.Context(), base); err != nil {
			return nil, err
		}
		answer, err := send(r, base, body)
		if err != nil || !unknown(answer) {
			return answer, err
		}
	}
	return nil, errNotDeployed // LocalStack lists an API before it serves its stage
}

// send sends a request to a base URL. The path keeps its percent-encoding.
func send(r *http.Request, base *url.URL, body []byte) (*http.Response, error) {
	target := *base
	target.Path, target.RawPath = base.Path+r.URL.Path, base.EscapedPath()+r.URL.EscapedPath()
	target.RawQuery = r.URL.RawQuery
	r = r.Clone(r.Context())
	r.URL, r.Host = &target, ""
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return http.DefaultTransport.RoundTrip(r)
}

// unknown reports whether LocalStack does not know the API of a request. It reads the answer's body, and closes it if
// so.
func unknown(answer *http.Response) bool {
	if answer.StatusCode != http.StatusNotFound {
		return false
	}
	const most = 4 << 10
	start, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err == nil && bytes.Contains(start, []byte("does not correspond to a deployed API Gateway API")) {
		_ = answer.Body.Close()
		return true
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), answer.Body), answer.Body}
	return false
}

// errNotDeployed means that LocalStack has started and does not have a REST API yet.
var errNotDeployed = errors.New("LocalStack has no REST API: the template is not deployed")

// find asks LocalStack for the id of its REST API.
// See https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html.
func find(ctx context.Context, endpoint string) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/restapis", http.NoBody)
	if err != nil {
		return "", fmt.Errorf("endpoint %s: %w", endpoint, err)
	}
	// LocalStack finds the service by the signature's scope. It does not check the signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0")
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("list the REST APIs: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var list struct {
		Item []struct{ ID string }
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("list the REST APIs: %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return "", fmt.Errorf("list the REST APIs: %w", err)
	}
	switch len(list.Item) {
	case 0:
		return "", errNotDeployed
	case 1:
		return list.Item[0].ID, nil
	}
	return "", fmt.Errorf("LocalStack has %d REST APIs; the proxy serves the only one", len(list.Item))
}
