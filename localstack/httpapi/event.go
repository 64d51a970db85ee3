package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net"
	"net/url"
	"strings"

	"github.com/eragon-mdi/ksu/localstack/awsid"
)

// event2 is an event of the payload format 2.0.
type event2 struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  context2          `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	Body            *string           `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type context2 struct {
	AccountID    string `json:"accountId"`
	APIID        string `json:"apiId"`
	DomainName   string `json:"domainName"`
	DomainPrefix string `json:"domainPrefix"`
	HTTP         http2  `json:"http"`
	RequestID    string `json:"requestId"`
	RouteKey     string `json:"routeKey"`
	Stage        string `json:"stage"`
	Time         string `json:"time"`
	TimeEpoch    int64  `json:"timeEpoch"`
}

type http2 struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// event1 is an event of the payload format 1.0.
type event1 struct {
	Version           string              `json:"version"`
	Resource          string              `json:"resource"`
	Path              string              `json:"path"`
	HTTPMethod        string              `json:"httpMethod"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext    context1            `json:"requestContext"`
	PathParameters    map[string]string   `json:"pathParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	Body              *string             `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type context1 struct {
	AccountID         string            `json:"accountId"`
	APIID             string            `json:"apiId"`
	DomainName        string            `json:"domainName"`
	DomainPrefix      string            `json:"domainPrefix"`
	ExtendedRequestID string            `json:"extendedRequestId"`
	HTTPMethod        string            `json:"httpMethod"`
	Identity          map[string]string `json:"identity"`
	Path              string            `json:"path"`
	Protocol          string            `json:"protocol"`
	RequestID         string            `json:"requestId"`
	RequestTime       string            `json:"requestTime"`
	RequestTimeEpoch  int64             `json:"requestTimeEpoch"`
	ResourceID        string            `json:"resourceId"`
	ResourcePath      string            `json:"resourcePath"`
	Stage             string            `json:"stage"`
}

const timeForm = "02/Jan/2006:15:04:05 +0000" // of the Common Log Format

func (c *call) event(body []byte) ([]byte, error) {
	text, encoded := bodyOf(body, c.r.Header.Get("Content-Type"))
	if c.route.PayloadFormat == "1.0" {
		return json.Marshal(c.version1(text, encoded))
	}
	return json.Marshal(c.version2(text, encoded))
}

func (c *call) version2(body *string, encoded bool) event2 {
	prefix, _, _ := strings.Cut(c.r.Host, ".")
	e := event2{
		Version: "2.0", RouteKey: c.routeKey(), RawPath: c.r.URL.Path, RawQueryString: c.r.URL.RawQuery,
		Headers: map[string]string{}, PathParameters: c.params, Body: body, IsBase64Encoded: encoded,
		RequestContext: context2{
			AccountID: awsid.Account, APIID: c.g.api.ID, DomainName: c.r.Host, DomainPrefix: prefix,
			HTTP:      http2{c.r.Method, c.r.URL.Path, c.r.Proto, c.sourceIP(), c.r.UserAgent()},
			RequestID: c.id, RouteKey: c.routeKey(), Stage: c.g.api.StageName, Time: c.start.UTC().Format(timeForm), TimeEpoch: c.start.UnixMilli(),
		},
	}
	for _, cookies := range c.r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(cookies, ";") {
			e.Cookies = append(e.Cookies, strings.TrimSpace(cookie))
		}
	}
	for name, values := range c.headers() {
		if name != "cookie" {
			e.Headers[name] = strings.Join(values, ",")
		}
	}
	for name, values := range query(c.r.URL.RawQuery) {
		if e.Query == nil {
			e.Query = map[string]string{}
		}
		e.Query[name] = strings.Join(values, ",")
	}
	return e
}

func (c *call) version1(body *string, encoded bool) event1 {
	prefix, _, _ := strings.Cut(c.r.Host, ".")
	resource := c.route.Path
	if resource == "" {
		resource = "$default"
	}
	e := event1{
		Version: "1.0", Resource: resource, Path: c.r.URL.Path, HTTPMethod: c.r.Method, Headers: map[string]string{},
		MultiValueHeaders: c.headers(), MultiValueQuery: query(c.r.URL.RawQuery), PathParameters: c.params, Body: body, IsBase64Encoded: encoded,
		RequestContext: context1{
			AccountID: awsid.Account, APIID: c.g.api.ID, DomainName: c.r.Host, DomainPrefix: prefix, ExtendedRequestID: c.id,
			HTTPMethod: c.r.Method, Identity: map[string]string{"sourceIp": c.sourceIP(), "userAgent": c.r.UserAgent()}, Path: c.r.URL.Path,
			Protocol: c.r.Proto, RequestID: c.id, RequestTime: c.start.UTC().Format(timeForm), RequestTimeEpoch: c.start.UnixMilli(),
			ResourceID: c.routeKey(), ResourcePath: resource, Stage: c.g.api.StageName,
		},
	}
	for name, values := range e.MultiValueHeaders {
		e.Headers[name] = values[len(values)-1]
	}
	if len(e.MultiValueQuery) > 0 {
		e.Query = map[string]string{}
	}
	for name, values := range e.MultiValueQuery {
		e.Query[name] = values[len(values)-1]
	}
	return e
}

func (c *call) routeKey() string {
	if c.route.Path == "" {
		return "$default"
	}
	return c.route.Method + " " + c.route.Path
}

// headers returns the headers of the event, in small letters, with those that the gateway adds.
func (c *call) headers() map[string][]string {
	all := map[string][]string{}
	for name, values := range c.r.Header {
		if name != "Connection" {
			all[strings.ToLower(name)] = values
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
	for name, value := range map[string]string{
		"host": c.r.Host, "x-amzn-trace-id": c.trace, "x-forwarded-for": forwarded, "x-forwarded-port": port, "x-forwarded-proto": "http",
	} {
		all[name] = []string{value}
	}
	return all
}

func (c *call) sourceIP() string {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}

// query decodes a query string. What cannot be decoded stays as it is.
func query(raw string) map[string][]string {
	decoded := map[string][]string{}
	decode := func(text string) string {
		if plain, err := url.QueryUnescape(text); err == nil {
			return plain
		}
		return text
	}
	for part := range strings.SplitSeq(raw, "&") {
		if name, value, _ := strings.Cut(part, "="); part != "" {
			decoded[decode(name)] = append(decoded[decode(name)], decode(value))
		}
	}
	return decoded
}

// bodyOf returns the event's body: text of text media types as it is, everything else in base64.
func bodyOf(body []byte, contentType string) (text *string, encoded bool) {
	if len(body) == 0 {
		return nil, false
	}
	kind, _, _ := mime.ParseMediaType(contentType) // "" for a malformed one
	value := string(body)
	isText := kind == "" || strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") ||
		kind == "application/json" || kind == "application/xml" || kind == "application/javascript"
	if !isText {
		value = base64.StdEncoding.EncodeToString(body)
	}
	return &value, !isText
}
