package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// event is a function's input. Members are in the order of AWS's events.
type event struct {
	Resource              string              `json:"resource"`
	Path                  string              `json:"path"`
	HTTPMethod            string              `json:"httpMethod"`
	Headers               map[string]string   `json:"headers"`
	MultiValueHeaders     map[string][]string `json:"multiValueHeaders"`
	QueryString           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryString map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters        map[string]string   `json:"pathParameters"`
	StageVariables        map[string]string   `json:"stageVariables"`
	RequestContext        requestContext      `json:"requestContext"`
	Body                  *string             `json:"body"`
	IsBase64Encoded       bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string   `json:"resourceId"`
	ResourcePath      string   `json:"resourcePath"`
	HTTPMethod        string   `json:"httpMethod"`
	ExtendedRequestID string   `json:"extendedRequestId"`
	RequestTime       string   `json:"requestTime"`
	Path              string   `json:"path"`
	AccountID         string   `json:"accountId"`
	Protocol          string   `json:"protocol"`
	Stage             string   `json:"stage"`
	DomainPrefix      string   `json:"domainPrefix"`
	RequestTimeEpoch  int64    `json:"requestTimeEpoch"`
	RequestID         string   `json:"requestId"`
	Identity          identity `json:"identity"`
	DomainName        string   `json:"domainName"`
	APIID             string   `json:"apiId"`
}

// identity has two members that are not null: the local stack does not authenticate callers.
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

// event returns the function's input.
//
// Path and path parameters stay percent-encoded; the query is decoded. Single-value members have the last of several
// values. A body whose media type is not
// binary is text: bytes that are not UTF-8 become U+FFFD, as on AWS.
func (c *call) event(body []byte) ([]byte, error) {
	e := event{
		Resource: c.resource.path, Path: c.path, HTTPMethod: c.r.Method, RequestContext: c.context(),
	}
	c.setHeaders(&e)
	if len(c.query) > 0 {
		e.QueryString, e.MultiValueQueryString = make(map[string]string, len(c.query)), c.query
		for name, values := range c.query {
			e.QueryString[name] = values[len(values)-1]
		}
	}
	if len(c.params) > 0 {
		e.PathParameters = make(map[string]string, len(c.params))
		for _, p := range c.params {
			e.PathParameters[p.name] = p.value
		}
	}
	c.setBody(&e, body)
	encoded, err := json.Marshal(&e)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return encoded, nil
}

// setHeaders copies the headers and adds the gateway's. Names are in Go's canonical form, since net/http does not keep
// the original.
func (c *call) setHeaders(e *event) {
	e.Headers = make(map[string]string, len(c.r.Header)+5)
	e.MultiValueHeaders = make(map[string][]string, len(c.r.Header)+5)
	for name, values := range c.r.Header {
		switch name {
		case "Connection", "Content-Length", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto":
		default:
			e.Headers[name] = values[len(values)-1]
			e.MultiValueHeaders[name] = values
		}
	}
	forwarded := c.sourceIP()
	if before := c.r.Header.Get("X-Forwarded-For"); before != "" {
		forwarded = before + ", " + forwarded
	}
	_, port, err := net.SplitHostPort(c.r.Host)
	if err != nil {
		port = "80"
	}
	for _, added := range [][2]string{
		{"Host", c.r.Host}, {"X-Amzn-Trace-Id", c.trace}, {"X-Forwarded-For", forwarded}, {"X-Forwarded-Port", port},
		{"X-Forwarded-Proto", "http"},
	} {
		e.Headers[added[0]] = added[1]
		e.MultiValueHeaders[added[0]] = []string{added[1]}
	}
}

// query decodes a query string. It accepts a semicolon as data, which url.ParseQuery refuses. Errors are
// url.EscapeErrors.
func query(raw string) (map[string][]string, error) {
	if raw == "" {
		return nil, nil
	}
	decoded := map[string][]string{}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if err := cmp.Or(nameErr, valueErr); err != nil {
			return nil, err
		}
		if part != "" {
			decoded[name] = append(decoded[name], value)
		}
	}
	return decoded, nil
}

func (c *call) context() requestContext {
	rc := requestContext{
		ResourceID: c.resource.id, ResourcePath: c.resource.path, HTTPMethod: c.r.Method, ExtendedRequestID: c.id.extended,
		RequestTime: c.requestTime(), Path: c.stagePath(), AccountID: awsid.Account, Protocol: c.r.Proto,
		Stage: c.g.api.StageName, DomainPrefix: c.domainPrefix(), RequestTimeEpoch: c.start.UnixMilli(),
		RequestID: c.id.request, Identity: identity{SourceIP: c.sourceIP()}, DomainName: c.r.Host, APIID: c.g.api.ID,
	}
	if agent := c.r.UserAgent(); agent != "" {
		rc.Identity.UserAgent = &agent
	}
	return rc
}
