package http

import (
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/eragon-mdi/ksu/shared/job/schema"
)

// Limits of a request. The longest time is what a worker of 900 seconds leaves for a job.
const (
	DefaultTimeout = 30 * time.Second
	MaxHeaders     = 100
)

// Request is the payload: the HTTP request to send.
type Request struct {
	Method string `json:"method,omitempty" jsonschema:"enum=GET,enum=HEAD,enum=POST,enum=PUT,enum=PATCH,enum=DELETE,enum=OPTIONS,default=GET"`
	URL    string `json:"url" jsonschema:"format=uri,pattern=^https?://,maxLength=8192,description=http or https URL of a public address"`
	// Headers are sent as they are. The request has an Idempotency-Key in any case: the task's id, in each attempt.
	Headers map[string]string `json:"headers,omitempty" jsonschema:"description=Header fields. Idempotency-Key is the task's id where none is given"`
	Body    string            `json:"body,omitempty" jsonschema:"description=Request body as text"`
	// Timeout bounds one attempt, redirects and the whole answer included.
	Timeout int `json:"timeout,omitempty" jsonschema:"minimum=1,maximum=300,default=30,description=Seconds that one attempt may take"`
	// ExpectStatus are the statuses that complete the task.
	ExpectStatus []int `json:"expect_status,omitempty" jsonschema:"minItems=1,maxItems=100,uniqueItems=true,description=Statuses that complete the task; all of 200 to 299 where none is given"`
}

// reserved are the header fields that belong to the connection, not to the request.
var reserved = []string{
	"Host", "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Keep-Alive", "Proxy-Connection",
	"Proxy-Authorization", "Expect",
}

// Check implements job.Checker.
func (r Request) Check() (problems []schema.Problem) {
	say := func(pointer, format string, args ...any) {
		problems = append(problems, schema.Problem{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	switch u, err := url.Parse(r.URL); {
	case err != nil:
		say("/url", "is no URL; allowed are values such as https://example.com/path")
	case u.Hostname() == "":
		say("/url", "has no host")
	case u.User != nil:
		say("/url", "has a user or a password; put them into the header Authorization")
	}
	if len(r.Headers) > MaxHeaders {
		say("/headers", "has %d fields; allowed are %d or fewer", len(r.Headers), MaxHeaders)
	}
	seen := map[string]bool{}
	for name, value := range r.Headers {
		at := "/headers/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			say(at, "is no name of a header field")
		case slices.Contains(reserved, canonical):
			say(at, "belongs to the connection and cannot be set")
		case seen[canonical]:
			say(at, "stands twice, in another case")
		case !httpguts.ValidHeaderFieldValue(value):
			say(at, "has characters that a header field cannot carry")
		}
		seen[canonical] = true
	}
	for i, status := range r.ExpectStatus {
		if status < 200 || status > 599 {
			say(fmt.Sprintf("/expect_status/%d", i), "is %d; allowed are 200 to 599", status)
		}
	}
	slices.SortFunc(problems, func(a, b schema.Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
	return problems
}

func (r Request) timeout() time.Duration {
	if r.Timeout == 0 {
		return DefaultTimeout
	}
	return time.Duration(r.Timeout) * time.Second
}

func (r Request) expects(status int) bool {
	if r.ExpectStatus == nil {
		return status >= 200 && status <= 299
	}
	return slices.Contains(r.ExpectStatus, status)
}

// expected says which statuses complete the task.
func (r Request) expected() string {
	if r.ExpectStatus == nil {
		return "200 to 299"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(r.ExpectStatus), " ", ", "), "[]")
}
